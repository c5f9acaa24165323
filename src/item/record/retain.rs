//! Records of some of a record's attributes.

use crate::error::Result;
use crate::item::record::{FORMAT, RecordRef, put_bytes, put_length};

impl RecordRef<'_> {
    /// The record of the item that has only the attributes whose names pass.
    ///
    /// # Errors
    /// [`Error::Corruption`](crate::Error::Corruption) for what is no record.
    ///
    /// # Cost
    /// O(attributes), and copying those that are kept.
    pub(crate) fn retain(&self, keep: impl Fn(&str) -> bool) -> Result<Vec<u8>> {
        let (mut kept, mut count) = (Vec::new(), 0);
        for entry in self.entries()? {
            let (name, value) = entry?;
            if keep(name) {
                put_bytes(&mut kept, name.as_bytes());
                kept.extend_from_slice(value.as_bytes());
                count += 1;
            }
        }
        let mut record = Vec::with_capacity(kept.len() + 3);
        record.push(FORMAT);
        put_length(&mut record, count);
        record.extend_from_slice(&kept);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use crate::item::record::{RecordRef, encode};
    use crate::item::{AttributeValue, Item};

    #[test]
    fn what_is_kept_is_the_record_of_an_item_of_it() {
        let map = AttributeValue::M([("x", AttributeValue::Null)].into());
        let item = Item::from([("a", 1), ("b", 2)]).with("c", "text").with("d", map);
        let record = encode(&item).unwrap();
        let record = RecordRef::new(&record).unwrap();
        let kept = record.retain(|name| name != "b").unwrap();
        let mut expected = item;
        expected.remove("b");
        assert_eq!(kept, encode(&expected).unwrap());
        assert_eq!(record.retain(|_| false).unwrap(), encode(&Item::new()).unwrap());
    }
}
