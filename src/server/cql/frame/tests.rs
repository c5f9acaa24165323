//! Requests and replies come back as they were written; whatever is cut off or changed is refused or read, and never panics.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::testing;
use super::*;

fn text() -> impl Strategy<Value = String> {
    select(vec!["", "a", "ks", "SELECT é"]).prop_map(str::to_owned)
}

fn version() -> impl Strategy<Value = Version> {
    select(Version::ALL.to_vec())
}

fn consistency() -> impl Strategy<Value = Consistency> {
    select(Consistency::ALL.to_vec())
}

const BYTES: &[u8] = &[7, 0, 255, 1];

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        Just(Value::Null),
        Just(Value::Unset),
        (0..=BYTES.len()).prop_map(|length| Value::Bytes(&BYTES[..length]))
    ]
}

fn values() -> impl Strategy<Value = Vec<Value<'static>>> {
    prop::collection::vec(value(), 0..3)
}

fn some_text() -> impl Strategy<Value = &'static str> {
    select(vec!["", "ks", "\"Ks\"", "é"])
}

fn tail(version: Version) -> impl Strategy<Value = (Option<&'static str>, Option<i32>)> {
    let is_v5 = version >= Version::V5;
    (option::of(some_text()), option::of(any::<i32>())).prop_map(
        move |(keyspace, now)| {
            if is_v5 { (keyspace, now) } else { (None, None) }
        },
    )
}

fn timestamp() -> impl Strategy<Value = Option<i64>> {
    option::of(select(vec![i64::MIN + 1, -1, 0, i64::MAX]))
}

fn parameters(version: Version) -> impl Strategy<Value = Parameters<'static>> {
    let first = (consistency(), values(), any::<bool>(), any::<bool>(), option::of(any::<i32>()));
    let second = (option::of(Just(BYTES)), option::of(consistency()), timestamp(), tail(version));
    (first, second).prop_map(|(first, second)| {
        let (consistency, values, has_names, skips_metadata, page_size) = first;
        let (paging_state, serial_consistency, timestamp, (keyspace, now_in_seconds)) = second;
        let names = (has_names && !values.is_empty()).then(|| vec!["n"; values.len()]);
        Parameters {
            consistency,
            values,
            names,
            skips_metadata,
            page_size,
            paging_state,
            serial_consistency,
            timestamp,
            keyspace,
            now_in_seconds,
        }
    })
}

fn batch(version: Version) -> impl Strategy<Value = Batch<'static>> {
    let statement = prop_oneof![
        some_text().prop_map(BatchStatement::Text),
        (0..=BYTES.len()).prop_map(|length| BatchStatement::Prepared(&BYTES[..length]))
    ];
    let statements = prop::collection::vec((statement, values()), 0..3);
    let rest = (consistency(), option::of(consistency()), timestamp(), tail(version));
    (select(BatchKind::ALL.to_vec()), statements, rest).prop_map(|(kind, statements, rest)| {
        let (consistency, serial_consistency, timestamp, (keyspace, now_in_seconds)) = rest;
        Batch { kind, statements, consistency, serial_consistency, timestamp, keyspace, now_in_seconds }
    })
}

fn request(version: Version) -> impl Strategy<Value = Request<'static>> {
    let is_v5 = version >= Version::V5;
    prop_oneof![
        prop::collection::vec((some_text(), some_text()), 0..3).prop_map(Request::Startup),
        Just(Request::Options),
        option::of(Just(BYTES)).prop_map(Request::AuthResponse),
        prop::collection::vec(select(EventKind::ALL.to_vec()), 0..4).prop_map(Request::Register),
        (some_text(), parameters(version)).prop_map(|(text, parameters)| Request::Query { text, parameters }),
        (some_text(), option::of(some_text()))
            .prop_map(move |(text, keyspace)| Request::Prepare { text, keyspace: keyspace.filter(|_| is_v5) }),
        parameters(version).prop_map(move |parameters| Request::Execute {
            id: BYTES,
            metadata_id: is_v5.then_some(BYTES),
            parameters
        }),
        batch(version).prop_map(Request::Batch),
    ]
}

fn data_type() -> impl Strategy<Value = DataType> {
    let leaf = prop_oneof![
        select(Simple::ALL.to_vec()).prop_map(DataType::Simple),
        Just(DataType::Custom("org.x.Vector".to_owned()))
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|element| DataType::List(Box::new(element))),
            inner.clone().prop_map(|element| DataType::Set(Box::new(element))),
            (inner.clone(), inner.clone()).prop_map(|parts| DataType::Map(Box::new(parts))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(DataType::Tuple),
            (text(), text(), prop::collection::vec((text(), inner), 0..3))
                .prop_map(|(keyspace, name, fields)| DataType::Udt(keyspace, name, fields)),
        ]
    })
}

fn columns() -> impl Strategy<Value = Arc<[ColumnSpec]>> {
    let column = (text(), text(), text(), data_type()).prop_map(|(keyspace, table, name, data_type)| ColumnSpec {
        keyspace,
        table,
        name,
        data_type,
    });
    prop::collection::vec(column, 1..4).prop_map(Arc::from)
}

fn metadata(version: Version) -> impl Strategy<Value = Metadata> {
    let is_v5 = version >= Version::V5;
    (columns(), option::of(Just(BYTES.to_vec())), option::of(any::<[u8; 16]>())).prop_map(
        move |(columns, paging_state, new_id)| Metadata {
            columns,
            is_skipped: false,
            paging_state,
            new_id: new_id.filter(|_| is_v5),
        },
    )
}

fn rows() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
    prop::collection::vec(option::of(prop::collection::vec(any::<u8>(), 0..4)), 0..4)
}

fn change() -> impl Strategy<Value = Change> {
    let arguments = || prop::collection::vec(text(), 0..3);
    let target = prop_oneof![
        Just(Target::Keyspace),
        text().prop_map(Target::Table),
        text().prop_map(Target::Type),
        (text(), arguments()).prop_map(|(name, arguments)| Target::Function(name, arguments)),
        (text(), arguments()).prop_map(|(name, arguments)| Target::Aggregate(name, arguments)),
    ];
    (select(vec!["CREATED", "UPDATED", "DROPPED"]), text(), target).prop_map(|(verb, keyspace, target)| Change {
        verb,
        keyspace,
        target,
    })
}

fn what(version: Version) -> impl Strategy<Value = What> {
    let is_v5 = version >= Version::V5;
    let write = move |is_timeout: bool| {
        (0..5, any::<u16>()).prop_map(move |(kind, contentions)| match kind {
            0 => WriteKind::Simple,
            1 => WriteKind::Batch,
            2 => WriteKind::UnloggedBatch,
            3 => WriteKind::Counter,
            _ => WriteKind::Conditional { contentions: if is_v5 && is_timeout { contentions } else { 0 } },
        })
    };
    let counts = || (consistency(), any::<i32>(), any::<i32>());
    let address = prop_oneof![Just(IpAddr::from(Ipv4Addr::LOCALHOST)), Just(IpAddr::from(Ipv6Addr::LOCALHOST))];
    let failures = prop::collection::vec((address, any::<u16>()), 0..3).prop_map(move |failures| {
        let unnamed = (IpAddr::from([0, 0, 0, 0]), 0);
        if is_v5 { failures } else { vec![unnamed; failures.len()] }
    });
    prop_oneof![
        select(vec![
            What::Server,
            What::Protocol,
            What::BadCredentials,
            What::Overloaded,
            What::Syntax,
            What::Unauthorized,
            What::Invalid,
            What::Config
        ]),
        counts().prop_map(|(consistency, required, alive)| What::Unavailable { consistency, required, alive }),
        (counts(), write(true)).prop_map(|((consistency, received, required), write)| What::WriteTimeout {
            consistency,
            received,
            required,
            write
        }),
        (counts(), any::<bool>()).prop_map(|((consistency, received, required), has_data)| What::ReadTimeout {
            consistency,
            received,
            required,
            has_data
        }),
        (counts(), failures.clone(), any::<bool>()).prop_map(
            |((consistency, received, required), failures, has_data)| {
                What::ReadFailure { consistency, received, required, failures, has_data }
            }
        ),
        (counts(), failures, write(false)).prop_map(|((consistency, received, required), failures, write)| {
            What::WriteFailure { consistency, received, required, failures, write }
        }),
        (text(), text(), prop::collection::vec(text(), 0..3))
            .prop_map(|(keyspace, function, arguments)| What::FunctionFailure { keyspace, function, arguments }),
        (text(), text()).prop_map(|(keyspace, table)| What::AlreadyExists { keyspace, table }),
        Just(What::Unprepared { id: BYTES.to_vec() }),
    ]
}

fn response(version: Version) -> impl Strategy<Value = Response> {
    let is_v5 = version >= Version::V5;
    let supported = prop::collection::vec(text(), 0..3)
        .prop_map(|values| Response::Supported(vec![("CQL_VERSION", values.clone()), ("COMPRESSION", values)]));
    prop_oneof![
        (what(version), text()).prop_map(|(what, message)| Response::Failure(Failure { what, message })),
        select(vec![
            Response::Ready,
            Response::Authenticate("org.apache.cassandra.auth.PasswordAuthenticator"),
            Response::Authenticated,
            Response::Void
        ]),
        supported,
        (metadata(version), rows()).prop_map(|(metadata, values)| {
            let mut rows = Rows::default();
            for value in &values {
                assert!(rows.push(std::iter::repeat_n(value.as_deref(), metadata.columns.len())));
            }
            Response::Rows(metadata, rows)
        }),
        text().prop_map(Response::SetKeyspace),
        (any::<[u8; 16]>(), columns(), prop::collection::vec(any::<u16>(), 0..3), metadata(version)).prop_map(
            move |(id, markers, key, result)| {
                let metadata_id = if is_v5 { [3; 16] } else { [0; 16] };
                Response::Prepared { id, metadata_id, markers, key, result }
            }
        ),
        change().prop_map(Response::Schema),
        change().prop_map(Response::Event),
    ]
}

fn reply(version: Version) -> impl Strategy<Value = Reply> {
    (response(version), prop::collection::vec(text(), 0..3), option::of(any::<[u8; 16]>()))
        .prop_map(|(response, warnings, tracing_id)| Reply { response, warnings, tracing_id })
}

proptest! {
    #[test]
    fn a_request_comes_back_and_a_cut_or_longer_body_is_refused(
        (version, request) in version().prop_flat_map(|version| (Just(version), request(version))),
        (at, byte) in (any::<prop::sample::Index>(), any::<u8>()),
    ) {
        let (operation, body) = testing::body(&request, version);
        prop_assert_eq!(&Request::read(&body, version, Flags::empty(), operation).unwrap(), &request);
        for cut in 0..body.len() {
            prop_assert!(Request::read(&body[..cut], version, Flags::empty(), operation).is_err(), "cut at {}", cut);
        }
        let mut longer = body.clone();
        longer.push(byte);
        prop_assert!(Request::read(&longer, version, Flags::empty(), operation).is_err());
        // A changed byte may make another request. Whatever is read is written as the same bytes, but for negative lengths,
        // flags of nothing and names of events in other letters.
        if !body.is_empty() {
            let mut changed = body;
            let at = at.index(changed.len());
            changed[at] = byte;
            for operation in Operation::ALL {
                let _ = Request::read(&changed, version, Flags::CUSTOM_PAYLOAD, operation);
                let _ = Request::read(&changed, version, Flags::empty(), operation);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_request_are_refused_without_a_panic(
        bytes in prop::collection::vec(select(vec![0_u8, 1, 2, 4, 0x7f, 0xff]), 0..40),
        version in version(),
    ) {
        for operation in Operation::ALL {
            let _ = Request::read(&bytes, version, Flags::empty(), operation);
        }
        let _ = Header::read(&bytes);
        let _ = Segment::read(&bytes, true);
    }

    #[test]
    fn a_reply_comes_back(
        (version, reply) in version().prop_flat_map(|version| (Just(version), reply(version))),
        stream: i16,
        compresses: bool,
    ) {
        let frame = reply.frame(version, stream, compresses).unwrap();
        let (its_version, its_stream, back, length) = testing::reply(&frame).unwrap().unwrap();
        let expected = if matches!(reply.response, Response::Event(_)) { -1 } else { stream };
        prop_assert_eq!((its_version, its_stream, length), (version, expected, frame.len()));
        prop_assert_eq!(back, reply);
    }
}

/// The bytes of a request, as the protocol's description has them.
#[test]
fn a_query_has_the_described_bytes() {
    let parameters = Parameters { timestamp: Some(1), page_size: Some(5000), ..Parameters::with(vec![Value::Null]) };
    let frame = testing::frame(&Request::Query { text: "S", parameters }, Version::V4, 3);
    let body =
        [&[0, 0, 0, 1, b'S', 0, 1, 0x25, 0, 1][..], &[0xff; 4], &5000_i32.to_be_bytes(), &1_i64.to_be_bytes()].concat();
    assert_eq!(frame[..9], [4, 0, 0, 3, 7, 0, 0, 0, u8::try_from(body.len()).unwrap()]);
    assert_eq!(frame[9..], body);
}

#[test]
fn a_result_has_the_described_bytes() {
    let column = ColumnSpec {
        keyspace: "k".to_owned(),
        table: "t".to_owned(),
        name: "c".to_owned(),
        data_type: DataType::Simple(Simple::Int),
    };
    let mut rows = Rows::default();
    rows.push([Some(&[0, 0, 0, 7][..])]);
    rows.push([None]);
    let reply = Reply::from(Response::Rows(Metadata::of(Arc::from([column])), rows));
    let body = [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, b'k', 0, 1, b't', 0, 1, b'c', 0, 9, 0, 0, 0, 2, 0, 0, 0, 4]
        .into_iter()
        .chain([0, 0, 0, 7, 255, 255, 255, 255]);
    let body: Vec<u8> = body.collect();
    let header = [0x84, 0, 0, 9, 8, 0, 0, 0, u8::try_from(body.len()).unwrap()];
    assert_eq!(reply.frame(Version::V4, 9, false).unwrap(), [&header[..], &body].concat());
}

// SEM: WID-LWW-1
#[test]
fn the_smallest_timestamp_is_refused_and_parts_of_version_5_in_version_4() {
    let parameters = |timestamp| Parameters { timestamp: Some(timestamp), ..Parameters::with(Vec::new()) };
    let read = |parameters: Parameters<'_>, version, flags: Option<u8>| {
        let (operation, mut body) = testing::body(&Request::Query { text: "", parameters }, version);
        if let Some(flags) = flags {
            body[6] = flags;
        }
        Request::read(&body, version, Flags::empty(), operation).map(drop).map_err(|error| error.to_string())
    };
    let out = "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807] \
               (got -9223372036854775808)";
    for version in Version::ALL {
        assert_eq!(read(parameters(i64::MIN), version, None), Err(out.to_owned()));
        assert_eq!(read(parameters(i64::MIN + 1), version, None), Ok(()));
    }
    let error = read(Parameters::with(Vec::new()), Version::V4, Some(0x80)).unwrap_err();
    assert_eq!(error, "Unknown flags 0x80 of a statement");
    let error = read(Parameters::with(Vec::new()), Version::V4, Some(0x40)).unwrap_err();
    assert_eq!(error, "names of values are announced, and no values");
}
