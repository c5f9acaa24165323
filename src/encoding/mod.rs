//! Byte encodings that several models share.
//!
//! [`ordered`] turns integers, floats and byte strings into bytes whose order is the order of the values; [`decimal`]
//! does so for decimals of any size. No model's whole key encoding lives here: two models disagree on when numbers are
//! equal, so each composes its own keys and holds its own property test. `owner` has the first byte of everybody's
//! keys, `long` what a key has for a component that is longer than it may be; `mix`, `md5` and `hex` are hashes and digits
//! for everybody.

pub mod decimal;
pub(crate) mod hex;
pub(crate) mod long;
pub(crate) mod md5;
pub(crate) mod mix;
pub mod ordered;
pub(crate) mod owner;
