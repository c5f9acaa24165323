//! A statement of CQL that parses is printed, and what is printed parses to the same; nothing else but an error comes of others.

#![no_main]

use larder::internals::cql;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(once) = cql::printed(text) else { return };
    let twice = cql::printed(&once).unwrap_or_else(|error| panic!("{text:?} was printed as {once:?}: {error}"));
    assert_eq!(once, twice, "of {text:?}");
    assert_eq!(cql::markers(text).ok(), cql::markers(&once).ok(), "markers of {text:?}");
});
