//! The byte that says which type a value has, and which form.

pub(super) const STRING: u8 = 0x00;
pub(super) const LIST: u8 = 0x01;
pub(super) const SET: u8 = 0x02;
pub(super) const SORTED_SET: u8 = 0x03;
pub(super) const HASH: u8 = 0x04;
pub(super) const SORTED_SET_2: u8 = 0x05;
pub(super) const SET_INTSET: u8 = 0x0b;
pub(super) const STREAM_1: u8 = 0x0f;
pub(super) const HASH_LISTPACK: u8 = 0x10;
pub(super) const SORTED_SET_LISTPACK: u8 = 0x11;
pub(super) const LIST_QUICKLIST_2: u8 = 0x12;
pub(super) const STREAM_2: u8 = 0x13;
pub(super) const SET_LISTPACK: u8 = 0x14;
pub(super) const STREAM_3: u8 = 0x15;
