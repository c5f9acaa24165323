//! Reading a table from files.
//!
//! # Source
//! `DynamoDB` Developer Guide, *Amazon S3 import formats for DynamoDB*.

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::item::definition::TableRecord;
use crate::item::place::Place;
use crate::item::request::{ImportTable, InputCompressionType, InputFormat};
use crate::item::schema::KeyAttribute;
use crate::item::transfer::bucket::Bucket;
use crate::item::transfer::lines::Lines;
use crate::item::transfer::new_table::Source;
use crate::item::transfer::records::{self, ImportRecord};
use crate::item::transfer::{csv, json};
use crate::txn::Writer;

/// How many items, and how many bytes of their lines, are stored in one commit.
const BATCH_ITEMS: usize = 100;
const BATCH_BYTES: usize = 1 << 20;

/// How many of the lines that are no items are told about.
const WARNINGS_MAX: u64 = 100;

/// The files of an import, one after the other.
pub(super) struct Files<'a> {
    bucket: Bucket,
    /// Those that were not begun, the last one first.
    names: Vec<String>,
    open: Option<Open>,
    is_csv: bool,
    delimiter: char,
    header: Option<Vec<String>>,
    is_compressed: bool,
    /// The attributes of keys, of the table and its indexes.
    keys: Vec<KeyAttribute>,
    place: &'a Place,
    id: &'a str,
    pub(super) record: ImportRecord,
}

/// A file that is being read.
struct Open {
    name: String,
    lines: Lines<Box<dyn BufRead>>,
    /// Of CSV.
    columns: Vec<String>,
}

impl<'a> Files<'a> {
    /// The files that `request` names, for a table of `table`.
    ///
    /// # Errors
    /// When there are none, and for options of CSV that do not go with its format.
    pub(super) fn new(
        bucket: Bucket,
        request: &ImportTable,
        table: &TableRecord,
        (place, id): (&'a Place, &'a str),
        record: ImportRecord,
    ) -> Result<Self> {
        let mut names = bucket.files(request.s3_key_prefix.as_deref().unwrap_or_default())?;
        names.reverse();
        let of_indexes = table.indexes.iter().flat_map(|index| index.keys.attributes());
        Ok(Self {
            bucket,
            names,
            open: None,
            is_csv: request.input_format == InputFormat::Csv,
            delimiter: csv::delimiter(request.csv_delimiter.as_deref())?,
            header: request.csv_header_list.clone(),
            is_compressed: request.input_compression_type == InputCompressionType::Gzip,
            keys: table.keys.attributes().chain(of_indexes).cloned().collect(),
            place,
            id,
            record,
        })
    }

    /// Begins the next file; returns whether there is one.
    fn begin(&mut self) -> Result<bool> {
        let Some(name) = self.names.pop() else { return Ok(false) };
        let file = self.bucket.open(&name)?;
        let bytes = file.size().map_err(|error| Error::io("read the file", std::path::Path::new(&name), error))?;
        self.record.common.bytes = self.record.common.bytes.saturating_add(bytes);
        let plain = BufReader::new(file);
        let reader: Box<dyn BufRead> = if self.is_compressed {
            let decoder: Box<dyn Read> = Box::new(MultiGzDecoder::new(plain));
            Box::new(BufReader::new(decoder))
        } else {
            Box::new(plain)
        };
        let mut lines = Lines::new(reader);
        let columns = match (&self.header, self.is_csv) {
            (_, false) => Vec::new(),
            (Some(header), true) => header.clone(),
            (None, true) => csv::next(&mut lines, self.delimiter)?.unwrap_or_default(),
        };
        self.open = Some(Open { name, lines, columns });
        Ok(true)
    }

    /// The next item, and how long its line was; `None` at the end of all files. A line that is no item is counted.
    fn next_item(&mut self) -> Result<Option<(Item, usize)>> {
        loop {
            let Some(open) = &mut self.open else {
                match self.begin() {
                    Ok(true) => continue,
                    Ok(false) => return Ok(None),
                    Err(error) => {
                        self.refuse(&error);
                        continue;
                    }
                }
            };
            let read = if self.is_csv {
                csv::next(&mut open.lines, self.delimiter).map(|fields| {
                    fields.map(|fields| {
                        let bytes = fields.iter().map(String::len).sum();
                        (csv::item_of(&open.columns, fields, &self.keys), bytes)
                    })
                })
            } else {
                open.lines.next_line().map(|line| line.map(|line| (json::item_of(line), line.len())))
            };
            match read {
                Ok(None) => self.open = None,
                Ok(Some((Ok(item), bytes))) => {
                    self.record.common.items += 1;
                    return Ok(Some((item, bytes)));
                }
                Ok(Some((Err(error), _))) => {
                    self.record.common.items += 1;
                    self.refuse(&error);
                }
                // The rest of the file cannot be read.
                Err(error) => {
                    self.refuse(&error);
                    self.open = None;
                }
            }
        }
    }

    /// Counts what is no item of the table.
    fn refuse(&mut self, error: &Error) {
        self.record.errors += 1;
        if self.record.errors <= WARNINGS_MAX {
            let file = self.open.as_ref().map_or("", |open| open.name.as_str());
            tracing::warn!(%error, file, "an item was not imported");
        }
    }
}

impl Source for Files<'_> {
    fn next(&mut self) -> Result<Vec<Item>> {
        let (mut items, mut bytes) = (Vec::new(), 0usize);
        while items.len() < BATCH_ITEMS && bytes < BATCH_BYTES {
            let Some((item, of_line)) = self.next_item()? else { break };
            bytes = bytes.saturating_add(of_line);
            items.push(item);
        }
        Ok(items)
    }

    fn stored(&mut self, new: u64, refused: &[Error]) {
        self.record.imported += new;
        for error in refused {
            self.refuse(error);
        }
    }

    fn named(&self, writer: &mut Writer) -> Result<()> {
        let mut record = self.record.clone();
        record.common.ended = writer.now().as_micros();
        records::put(writer, self.place, self.id, &record)
    }
}
