//! What a request says about who signed it: in its `Authorization` header, or in its query.

use hyper::HeaderMap;

use crate::server::dynamodb::failure::Failure;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signed a request, for what, and what the signature is. Nothing of it is believed yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server::dynamodb) struct Claim {
    pub(in crate::server::dynamodb) access_key: String,
    /// The day that the key was derived for, as `20261129`.
    pub(super) day: String,
    /// The region that the request is meant for.
    pub(in crate::server::dynamodb) region: String,
    pub(super) service: String,
    /// When it was signed, as `20261129T080000Z`.
    pub(super) at: String,
    /// Names of the headers that are signed, with `;` between them.
    pub(super) headers: String,
    pub(super) signature: String,
    /// For how many seconds, if it is in the query.
    pub(super) seconds: Option<i64>,
}

impl Claim {
    /// Reads what a request says.
    ///
    /// # Errors
    /// What is missing, by name.
    pub(in crate::server::dynamodb) fn read(headers: &HeaderMap, query: &str) -> Result<Self, Failure> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_in_query = parameters(query).any(|(name, _)| name == "X-Amz-Algorithm");
        match text("authorization") {
            Some(_) if is_in_query => Err(Failure::reader(
                "InvalidSignatureException",
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
            )),
            None if is_in_query => Self::from_query(query),
            Some(header) if header.starts_with("AWS4-") => {
                Self::from_header(header, text("x-amz-date").or_else(|| text("date")))
            }
            _ => Err(Failure::reader("MissingAuthenticationTokenException", "Request is missing Authentication Token")),
        }
    }

    fn from_header(header: &str, date: Option<&str>) -> Result<Self, Failure> {
        let mut found = [None; 3];
        let names = ["Credential", "Signature", "SignedHeaders"];
        // Parts are separated by commas, by blanks, or by both.
        for part in header.split([' ', ',']) {
            let Some((name, value)) = part.split_once('=') else { continue };
            if let Some(place) = names.iter().position(|known| known.eq_ignore_ascii_case(name))
                && let Some(slot) = found.get_mut(place)
            {
                *slot = Some(value);
            }
        }
        let missing = names.iter().zip(found).filter(|(_, found)| found.is_none());
        let mut sentences: Vec<_> =
            missing.map(|(name, _)| format!("Authorization header requires '{name}' parameter.")).collect();
        if date.is_none() {
            let either = "existence of either a 'X-Amz-Date' or a 'Date' header.";
            sentences.push(format!("Authorization header requires {either}"));
        }
        if !sentences.is_empty() {
            sentences.push(format!("Authorization={header}"));
            return Err(Failure::reader("IncompleteSignatureException", sentences.join(" ")));
        }
        let [credential, signature, headers] = found.map(|found| found.unwrap_or_default().to_owned());
        Ok(Self { at: date.unwrap_or_default().to_owned(), headers, signature, ..Self::of(&credential) })
    }

    fn from_query(query: &str) -> Result<Self, Failure> {
        let names = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
        let value = |wanted: &str| parameters(query).find(|(name, _)| name == wanted).map(|(_, value)| value);
        let [algorithm, credential, signature, headers, date] = names.map(value);
        let is_missing = [
            algorithm.as_deref().is_none_or(|name| name != ALGORITHM),
            credential.is_none(),
            signature.is_none(),
            headers.is_none(),
            date.is_none(),
        ];
        let missing: Vec<_> = names
            .iter()
            .zip(is_missing)
            .filter(|(_, is_missing)| *is_missing)
            .map(|(name, _)| format!("AWS query-string parameters must include '{name}'. "))
            .collect();
        if !missing.is_empty() {
            let text = format!("{}Re-examine the query-string parameters.", missing.concat());
            return Err(Failure::reader("IncompleteSignatureException", text));
        }
        let seconds = value("X-Amz-Expires").and_then(|seconds| seconds.parse().ok());
        let [signature, headers, at] = [signature, headers, date].map(Option::unwrap_or_default);
        Ok(Self { at, headers, signature, seconds, ..Self::of(&credential.unwrap_or_default()) })
    }

    /// What a credential is made of: the access key, which may have slashes, and four more parts.
    fn of(credential: &str) -> Self {
        let mut parts = credential.rsplitn(5, '/');
        let _end = parts.next();
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (service, region, day, access_key) = (next(), next(), next(), next());
        Self { access_key, day, region, service, ..Self::default() }
    }

    /// What the key of the signature is derived for.
    pub(super) fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.day, self.region, self.service)
    }
}

/// The parameters of a query, decoded, in its order.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match (byte, ahead(&rest)) {
            (b'%', Some(value)) => {
                rest.nth(1);
                bytes.push(value);
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that the next two hexadecimal digits are, if they are such.
fn ahead(rest: &std::str::Bytes<'_>) -> Option<u8> {
    let mut digits = rest.clone().map(|byte| char::from(byte).to_digit(16));
    let (high, low) = (digits.next()??, digits.next()??);
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[(&'static str, &str)], query: &str) -> (String, String) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let failure = Claim::read(&map, query).unwrap_err();
        (failure.name.into_owned(), failure.message.unwrap_or_default())
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(refused(&[], "").0, "MissingAuthenticationTokenException");
        assert_eq!(refused(&[("authorization", "Basic YTpi")], "").0, "MissingAuthenticationTokenException");
        let (name, text) = refused(&[("authorization", "AWS4-HMAC-SHA256 Credential=a")], "");
        assert_eq!(name, "IncompleteSignatureException");
        assert_eq!(
            text,
            "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' \
             parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             Authorization=AWS4-HMAC-SHA256 Credential=a"
        );
        let (name, text) = refused(&[], "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=d");
        assert_eq!(name, "IncompleteSignatureException");
        assert!(text.starts_with("AWS query-string parameters must include 'X-Amz-Credential'. "), "{text}");
        let both = refused(&[("authorization", "AWS4-HMAC-SHA256")], "X-Amz-Algorithm=AWS4-HMAC-SHA256");
        assert_eq!(both.0, "InvalidSignatureException");
    }

    #[test]
    fn a_credential_is_read_from_its_end() {
        let claim = Claim::of("a/b/20261129/eu-west-1/dynamodb/aws4_request");
        assert_eq!((claim.access_key.as_str(), claim.region.as_str()), ("a/b", "eu-west-1"));
        assert_eq!(claim.scope(), "20261129/eu-west-1/dynamodb/aws4_request");
        assert_eq!(Claim::of("x"), Claim::default());
    }

    #[test]
    fn parameters_are_decoded() {
        let all: Vec<_> = parameters("a=1%2F2&b&c=%zz+%4").collect();
        assert_eq!(all, [("a", "1/2"), ("b", ""), ("c", "%zz %4")].map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
