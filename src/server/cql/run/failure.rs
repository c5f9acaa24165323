//! Errors of the store, as clients get them.

use crate::error::Error;
use crate::server::cql::frame::{Consistency, Failure, What, WriteKind};
use crate::server::cql::run::Refusal;
use crate::wide_column::Exception;
use crate::wide_column::cql::{Changed, Effect};

/// The error of a request that asked for this level of consistency.
pub(in crate::server::cql) fn of_store(error: &Error, consistency: Consistency) -> Failure {
    // One replica is asked, and it did not do what was wanted of it.
    let (received, required) = (0, 1);
    let what = match Exception::of(error) {
        Exception::Protocol => What::Protocol,
        Exception::BadCredentials => What::BadCredentials,
        Exception::Unavailable => What::Unavailable { consistency, required, alive: received },
        Exception::Overloaded => What::Overloaded,
        Exception::WriteTimeout => {
            What::WriteTimeout { consistency, received, required, write: WriteKind::Conditional { contentions: 1 } }
        }
        Exception::ReadTimeout => What::ReadTimeout { consistency, received, required, has_data: false },
        Exception::ReadFailure => {
            What::ReadFailure { consistency, received, required, failures: one_node(), has_data: false }
        }
        Exception::WriteFailure => {
            What::WriteFailure { consistency, received, required, failures: one_node(), write: WriteKind::Simple }
        }
        Exception::Syntax => What::Syntax,
        Exception::Unauthorized => What::Unauthorized,
        Exception::Config => What::Config,
        Exception::AlreadyExists => What::AlreadyExists { keyspace: String::new(), table: String::new() },
        Exception::Invalid => What::Invalid,
        // What says more than its class has nothing to say it with; clients take any of these for a fault of the server.
        _ => What::Server,
    };
    Failure::new(what, error.to_string())
}

/// The node that has failed: this one, for a reason without a number of its own.
fn one_node() -> Vec<(std::net::IpAddr, u16)> {
    vec![(std::net::Ipv4Addr::LOCALHOST.into(), 0)]
}

/// The error of a statement that was to change the schema: drivers read what is there already from it, beside the message.
pub(super) fn of_effect(error: Error, effect: &Effect) -> Refusal {
    match (Exception::of(&error), effect) {
        (Exception::AlreadyExists, Effect::Schema(_, keyspace, changed)) => {
            let table = match changed {
                Changed::Keyspace => "",
                Changed::Table(name) | Changed::Type(name) => name,
            };
            let what = What::AlreadyExists { keyspace: keyspace.clone(), table: table.to_owned() };
            Failure::new(what, error.to_string()).into()
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SEM: WID-ERR-1
    #[test]
    fn an_error_has_the_code_of_its_class() {
        for (class, code) in [
            (Exception::Server, 0x0000),
            (Exception::Protocol, 0x000a),
            (Exception::BadCredentials, 0x0100),
            (Exception::Unavailable, 0x1000),
            (Exception::Overloaded, 0x1001),
            (Exception::WriteTimeout, 0x1100),
            (Exception::ReadTimeout, 0x1200),
            (Exception::ReadFailure, 0x1300),
            (Exception::WriteFailure, 0x1500),
            (Exception::Syntax, 0x2000),
            (Exception::Unauthorized, 0x2100),
            (Exception::Invalid, 0x2200),
            (Exception::Config, 0x2300),
            (Exception::AlreadyExists, 0x2400),
        ] {
            let failure = of_store(&class.error("why"), Consistency::Quorum);
            assert_eq!((failure.code(), failure.message.as_str()), (code, "why"), "{class}");
        }
        let effect = Effect::Schema("CREATED", "k".to_owned(), Changed::Table("t".to_owned()));
        let Refusal::Failure(failure) = of_effect(Exception::AlreadyExists.error("there"), &effect) else { panic!() };
        assert_eq!(failure.what, What::AlreadyExists { keyspace: "k".to_owned(), table: "t".to_owned() });
    }
}
