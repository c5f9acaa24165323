//! Signatures of requests, version 4: who signed, and whether with the secret that belongs to the access key.
//!
//! # Source
//! AWS Identity and Access Management, *AWS Signature Version 4 for API requests*.

mod claim;

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use hyper::{HeaderMap, Method};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(super) use self::claim::Claim;

use crate::clock::Timestamp;
use crate::server::dynamodb::failure::Failure;

const SERVICE: &str = "dynamodb";
/// How far the clocks of client and server may be apart.
const SKEW_SECONDS_MAX: i64 = 15 * 60;
/// For how long a signature in a query may hold at most.
const SECONDS_MAX: i64 = 7 * 24 * 3600;

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// Checks that `claim` was made with `secret`, which is `None` when nobody has the access key.
///
/// # Errors
/// `UnrecognizedClientException` for an access key that nobody has, `InvalidSignatureException` for everything else.
pub(super) fn verify(claim: &Claim, signed: &Signed<'_>, secret: Option<&[u8]>, now: Timestamp) -> Result<(), Failure> {
    let Some(secret) = secret else {
        let text = "The security token included in the request is invalid.";
        return Err(Failure::reader("UnrecognizedClientException", text));
    };
    let invalid = |text: String| Err(Failure::reader("InvalidSignatureException", text));
    if claim.service != SERVICE {
        let text = format!("Credential should be scoped to correct service: '{SERVICE}'. ");
        return invalid(text);
    }
    let names: Vec<_> = claim.headers.split(';').collect();
    if !names.contains(&"host") {
        return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned());
    }
    let Some(at) = seconds_of(&claim.at).filter(|_| claim.at.starts_with(&claim.day) && claim.day.len() == 8) else {
        return invalid(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{}'.",
            claim.day,
            claim.at.get(..8).unwrap_or_default(),
            claim.at
        ));
    };
    let now = now.as_seconds();
    let until = at.saturating_add(claim.seconds.map_or(SKEW_SECONDS_MAX, |seconds| seconds.clamp(0, SECONDS_MAX)));
    if now > until {
        return invalid(format!("Signature expired: {} is now earlier than {}", claim.at, text_of(now)));
    }
    if at > now.saturating_add(SKEW_SECONDS_MAX) {
        return invalid(format!("Signature not yet current: {} is still later than {}", claim.at, text_of(now)));
    }
    let expected = signature(claim, &to_sign(claim, signed, &names), secret);
    if bool::from(expected.as_bytes().ct_eq(claim.signature.as_bytes())) {
        return Ok(());
    }
    invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
            .to_owned(),
    )
}

/// The signature of `text` with the key that is derived from `secret`, as hexadecimal digits.
fn signature(claim: &Claim, text: &str, secret: &[u8]) -> String {
    let first = [b"AWS4", secret].concat();
    let key = hmac(&first, claim.day.as_bytes());
    let key = hmac(&key, claim.region.as_bytes());
    let key = hmac(&key, claim.service.as_bytes());
    let key = hmac(&key, b"aws4_request");
    hex(&hmac(&key, text.as_bytes()))
}

/// The text that is signed: when, for what, and the hash of the request in its one form.
fn to_sign(claim: &Claim, signed: &Signed<'_>, names: &[&str]) -> String {
    let mut query: Vec<_> = claim::parameters(signed.query)
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encoded(&name, false), encoded(&value, false)))
        .collect();
    query.sort_unstable();
    let query: Vec<_> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: Vec<_> = names.iter().map(|name| format!("{name}:{}\n", header(signed.headers, name))).collect();
    let headers = headers.concat();
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        signed.method,
        encoded(signed.path, true),
        query.join("&"),
        claim.headers,
        hex(&Sha256::digest(signed.body)),
    );
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", claim.at, claim.scope())
}

/// The values of a header, each without blanks around it and with one blank between words.
fn header(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

/// Percent-encoded, but for letters, digits and `-._~`; in a path, slashes stay too.
fn encoded(text: &str, is_path: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (is_path && byte == b'/') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length is a key"));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// The seconds since 1970 of a time like `20261129T080000Z`.
fn seconds_of(text: &str) -> Option<i64> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?.as_second())
}

fn text_of(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the documentation, *Signature Version 4 test suite*: `get-vanilla` and others, with its key.
    const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const DATE: &str = "20150830T123600Z";

    fn claim(headers: &str) -> Claim {
        let mut map = HeaderMap::new();
        let credential = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
        let text = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={headers}, Signature=s");
        map.insert("authorization", text.parse().unwrap());
        map.insert("x-amz-date", DATE.parse().unwrap());
        Claim::read(&map, "").unwrap()
    }

    fn headers(more: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.insert("host", "example.amazonaws.com".parse().unwrap());
        map.insert("x-amz-date", DATE.parse().unwrap());
        for (name, value) in more {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn signed(method: &Method, query: &str, headers: &HeaderMap, names: &str) -> String {
        let claim = claim(names);
        let signed = Signed { method, path: "/", query, headers, body: b"" };
        let names: Vec<_> = names.split(';').collect();
        signature(&claim, &to_sign(&claim, &signed, &names), SECRET)
    }

    #[test]
    fn the_examples_of_the_documentation_come_out() {
        assert_eq!(
            signed(&Method::GET, "", &headers(&[]), "host;x-amz-date"),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        assert_eq!(
            signed(&Method::POST, "", &headers(&[]), "host;x-amz-date"),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
        assert_eq!(
            signed(&Method::GET, "Param2=value2&Param1=value1", &headers(&[]), "host;x-amz-date"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        );
    }

    #[test]
    fn times_are_read_and_written() {
        assert_eq!(seconds_of("20150830T123600Z"), Some(1_440_938_160));
        assert_eq!(text_of(1_440_938_160), "20150830T123600Z");
        assert_eq!(seconds_of("yesterday"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let of = |seconds: i64| Timestamp::from_seconds(seconds);
        let map = headers(&[]);
        let signed = Signed { method: &Method::POST, path: "/", query: "", headers: &map, body: b"{}" };
        let mut good = Claim { service: SERVICE.to_owned(), ..claim("host;x-amz-date") };
        good.signature = signature(&good, &to_sign(&good, &signed, &["host", "x-amz-date"]), SECRET);
        let at = 1_440_938_160;
        let tell = |claim: &Claim, secret, seconds| match verify(claim, &signed, secret, of(seconds)) {
            Ok(()) => "fine".to_owned(),
            Err(failure) => failure.message.unwrap_or_default(),
        };
        assert_eq!(tell(&good, Some(SECRET), at), "fine");
        assert_eq!(tell(&good, Some(SECRET), at + SKEW_SECONDS_MAX), "fine");
        assert!(tell(&good, Some(b"other"), at).starts_with("The request signature we calculated"));
        assert!(tell(&good, None, at).starts_with("The security token"));
        assert!(tell(&good, Some(SECRET), at + SKEW_SECONDS_MAX + 1).starts_with("Signature expired"));
        assert!(tell(&good, Some(SECRET), at - SKEW_SECONDS_MAX - 1).starts_with("Signature not yet current"));
        let longer = Claim { seconds: Some(3_600), ..good.clone() };
        assert_eq!(tell(&longer, Some(SECRET), at + 3_600), "fine");
        let other = Claim { service: "s3".to_owned(), ..good.clone() };
        assert!(tell(&other, Some(SECRET), at).starts_with("Credential should be scoped"));
        let day = Claim { day: "20150831".to_owned(), ..good.clone() };
        assert!(tell(&day, Some(SECRET), at).starts_with("Date in Credential scope"));
        let body = Signed { body: b"{} ", ..signed };
        assert!(verify(&good, &body, Some(SECRET), of(at)).is_err());
    }
}
