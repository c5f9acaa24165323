//! What has to do with a connection and not with statements: options, the beginning, who is to be told of what.

use super::requests::{Phase, Requests};
use super::wire::Wire;
use crate::server::buffers::Output;
use crate::server::connection::End;
use crate::server::cql::frame::{EventKind, Flags, Header, Request, Response, Version, What, decompress_body};

/// What clients are to log in with, by the name that drivers know.
const AUTHENTICATOR: &str = "org.apache.cassandra.auth.PasswordAuthenticator";

/// The newest version of the language that is spoken.
const CQL_VERSION: &str = "3.4.7";

impl Requests {
    /// Does what has to do with the connection.
    pub(super) fn begin_other(&mut self, header: Header, body: &[u8], output: &mut Output) -> Result<(), End> {
        let decompressed;
        let body = if header.flags.contains(Flags::COMPRESSED) {
            match decompress_body(body) {
                Ok(bytes) => decompressed = bytes,
                Err(why) => return Err(self.end(&header, What::Protocol, why.to_string(), output)),
            }
            decompressed.as_slice()
        } else {
            body
        };
        match Request::read(body, header.version, header.flags, header.operation) {
            Err(why) => Err(self.end(&header, What::Protocol, why.to_string(), output)),
            Ok(Request::Startup(options)) => self.start(&header, &options, output),
            Ok(Request::Register(kinds)) => {
                if kinds.contains(&EventKind::Schema) {
                    self.client.wants_schema.set(true);
                }
                self.answer(&header, &Response::Ready.into(), output);
                Ok(())
            }
            Ok(_) => {
                self.answer(&header, &supported().into(), output);
                Ok(())
            }
        }
    }

    /// Begins the connection.
    fn start(&mut self, header: &Header, options: &[(&str, &str)], output: &mut Output) -> Result<(), End> {
        let option =
            |name: &str| options.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        let Some(version) = option("CQL_VERSION") else {
            return Err(self.end(header, What::Protocol, "Missing value CQL_VERSION in STARTUP message", output));
        };
        if !is_spoken(version) {
            let why = format!(
                "CQL version {version} is not supported by the binary protocol (supported version are >= 3.0.0)"
            );
            return Err(self.end(header, What::Protocol, why, output));
        }
        let compresses = match option("COMPRESSION").map(str::to_ascii_lowercase).as_deref() {
            None | Some("") => false,
            Some("lz4") => true,
            Some(other) => {
                let why = format!("Unknown compression algorithm: {other}");
                return Err(self.end(header, What::Protocol, why, output));
            }
        };
        let is_open = self.door.state.users.default_user().is_open();
        let reply = if is_open { Response::Ready } else { Response::Authenticate(AUTHENTICATOR) };
        self.answer(header, &reply.into(), output);
        // From the next frame on, both ways.
        let version = header.version;
        self.wire = Wire { version, compresses, is_segmented: version >= Version::V5 };
        self.phase = if is_open { Phase::Open } else { Phase::LogsIn };
        Ok(())
    }
}

/// Whether the version of the language that a client asks for is one that is served: as in Cassandra any from the third on, since
/// drivers ask for `4.0.0` and mean what there is.
fn is_spoken(version: &str) -> bool {
    let major = version.split_once('.').and_then(|(major, _)| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= 3)
}

/// What clients may choose.
fn supported() -> Response {
    let versions = Version::ALL.iter().map(|version| format!("{0}/v{0}", version.number())).collect();
    Response::Supported(vec![
        ("PROTOCOL_VERSIONS", versions),
        ("COMPRESSION", vec!["lz4".to_owned()]),
        ("CQL_VERSION", vec![CQL_VERSION.to_owned()]),
    ])
}
