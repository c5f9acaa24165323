//! Rows as bytes against rows as maps.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::wide_column::cell::{Cell, Content, Deletion, is_covered};
use crate::wide_column::testing::hex;

const VALUES: [&[u8]; 3] = [b"", b"\0", b"\x01"];
const PATHS: [&[u8]; 2] = [b"a", b"b"];

/// A row as a map; a complex deletion is a cell of the place `Deletion`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    marker: Option<Cell<'static>>,
    deletion: Option<Deletion>,
    cells: BTreeMap<(u16, Part<'static>), Cell<'static>>,
}

impl Row {
    fn build(&self) -> Built {
        let mut builder = Builder::new(10);
        builder.set_marker(self.marker);
        builder.set_deletion(self.deletion);
        for ((id, part), cell) in &self.cells {
            builder.push(CellView { id: *id, part: *part, cell: *cell });
        }
        builder.build()
    }

    /// The row below its own deletions, and those it lies under.
    fn below(mut self, over: Option<Deletion>) -> Self {
        self.deletion = self.deletion.and_then(|own| own.below(over));
        let over = self.deletion.max(over);
        self.marker = self.marker.filter(|marker| !is_covered(marker.timestamp, over));
        self.cells.retain(|_, cell| !is_covered(cell.timestamp, over));
        let deletions: BTreeMap<_, _> = self
            .cells
            .iter()
            .filter(|((_, part), _)| *part == Part::Deletion)
            .map(|((id, _), cell)| (*id, cell.timestamp))
            .collect();
        let is_under = |id: &u16, cell: &Cell<'_>| deletions.get(id).is_some_and(|at| cell.timestamp <= *at);
        self.cells.retain(|(id, part), cell| !matches!(part, Part::Element(_)) || !is_under(id, cell));
        self
    }

    fn merge(mut self, other: Self) -> Self {
        self.marker = match (self.marker, other.marker) {
            (Some(a), Some(b)) => Some(a.reconcile(b)),
            (a, b) => a.or(b),
        };
        self.deletion = self.deletion.max(other.deletion);
        for (place, cell) in other.cells {
            self.cells.entry(place).and_modify(|own| *own = own.reconcile(cell)).or_insert(cell);
        }
        self
    }
}

/// The row of bytes; `None` of what has nothing.
fn decode(built: &Built) -> Row {
    if built.is_empty {
        return Row::default();
    }
    let view = RowView::new(&built.bytes).unwrap();
    let leaked = |cell: Cell<'_>| Cell {
        content: match cell.content {
            Content::Live { value } => Content::Live { value: own(value) },
            Content::Expiring { value, expires, ttl } => Content::Expiring { value: own(value), expires, ttl },
            Content::Expired { expires } => Content::Expired { expires },
            Content::Tombstone { deleted } => Content::Tombstone { deleted },
            Content::Counter { value } => Content::Counter { value },
        },
        ..cell
    };
    let cells = view.cells().map(|cell| {
        let CellView { id, part, cell } = cell.unwrap();
        let part = match part {
            Part::Whole => Part::Whole,
            Part::Deletion => Part::Deletion,
            Part::Element(path) => Part::Element(PATHS.into_iter().find(|own| *own == path).unwrap()),
        };
        ((id, part), leaked(cell))
    });
    Row { marker: view.marker(), deletion: view.deletion, cells: cells.collect() }
}

fn own(value: &[u8]) -> &'static [u8] {
    VALUES.into_iter().find(|own| *own == value).unwrap()
}

fn deletion() -> impl Strategy<Value = Deletion> {
    (0i64..3, 0i64..3).prop_map(|(timestamp, deleted)| Deletion { timestamp, deleted })
}

fn cell() -> impl Strategy<Value = Cell<'static>> {
    let value = || prop::sample::select(VALUES.to_vec());
    let content = prop_oneof![
        value().prop_map(|value| Content::Live { value }),
        (value(), 10i64..13, 1u32..3).prop_map(|(value, expires, ttl)| Content::Expiring { value, expires, ttl }),
        (10i64..13).prop_map(|expires| Content::Expired { expires }),
        (0i64..3).prop_map(|deleted| Content::Tombstone { deleted }),
    ];
    (0i64..3, content).prop_map(|(timestamp, content)| Cell { timestamp, content })
}

/// A row whose columns were written for ever, and at one time but for a few.
fn plain_row() -> impl Strategy<Value = Row> {
    let time = |row: i64| prop_oneof![9 => Just(row), 1 => 0i64..3];
    let cell = move |row| {
        (time(row), prop::sample::select(VALUES.to_vec())).prop_map(|(at, value)| Cell::new(at, value, 0, 0))
    };
    (any::<bool>(), 0i64..3).prop_flat_map(move |(has_marker, row)| {
        let place = (0u16..3).prop_map(|id| (id, Part::Whole));
        prop::collection::btree_map(place, cell(row), 0..4).prop_map(move |cells| {
            let marker = has_marker.then(|| Cell::new(row, &[], 0, 0));
            Row { marker, deletion: None, cells }
        })
    })
}

/// A row as it could be stored: column 3 has parts.
fn row() -> impl Strategy<Value = Row> {
    let marker = prop::option::of((0i64..3, prop::option::of((10i64..13, 1u32..3)))).prop_map(|marker| {
        marker.map(|(timestamp, expiry)| {
            let content = match expiry {
                None => Content::Live { value: &[] },
                Some((expires, ttl)) => Content::Expiring { value: &[], expires, ttl },
            };
            Cell { timestamp, content }
        })
    });
    let place = prop_oneof![
        (0u16..2).prop_map(|id| (id, Part::Whole)),
        (prop::sample::select(PATHS.to_vec())).prop_map(|path| (3, Part::Element(path))),
    ];
    let complex = prop::option::of(deletion());
    let cells = prop::collection::btree_map(place, cell(), 0..4);
    (marker, prop::option::of(deletion()), cells, complex).prop_map(|(marker, deletion, mut cells, complex)| {
        if let Some(Deletion { timestamp, deleted }) = complex {
            cells.insert((3, Part::Deletion), Cell { timestamp, content: Content::Tombstone { deleted } });
        }
        Row { marker, deletion, cells }.below(None)
    })
}

fn merged(ours: &Row, theirs: &Row, over: Option<Deletion>, swept_at: Option<i64>) -> Built {
    let (ours, theirs) = (ours.build(), theirs.build());
    let view = |built: &Built| if built.is_empty { Vec::new() } else { built.bytes.clone() };
    let (ours, theirs) = (view(&ours), view(&theirs));
    let rules = Rules { over, column: &|_| Some(Parts::Bytes), has_dropped: false, grace: 10, swept_at };
    merge(
        &if ours.is_empty() { RowView::default() } else { RowView::new(&ours).unwrap() },
        &if theirs.is_empty() { RowView::default() } else { RowView::new(&theirs).unwrap() },
        &rules,
    )
    .unwrap()
}

#[test]
fn the_layout_is_the_documented_one() {
    let mut builder = Builder::new(864_000);
    builder.set_marker(Some(Cell::new(1, &[], 0, 0)));
    builder.set_deletion(Some(Deletion { timestamp: 0, deleted: 2 }));
    builder.keep(1, b"xy");
    let push = |builder: &mut Builder, id, part, cell| builder.push(CellView { id, part, cell });
    push(&mut builder, 3, Part::Whole, Cell::new(1, b"v", 0, 0));
    push(&mut builder, 4, Part::Whole, Cell::new(3, b"w", 60, 40));
    push(&mut builder, 5, Part::Whole, Cell::tombstone(1, 50));
    push(&mut builder, 6, Part::Deletion, Cell::tombstone(0, 50));
    push(&mut builder, 6, Part::Element(b"k"), Cell { timestamp: 1, content: Content::Counter { value: -1 } });
    let head = "0239" /* format and flags */;
    let (time, deletion, kept) = ("8000000000000001", "800000000000000004", "0401027879");
    let cells = ["03080176", "04010480c83c0177", "050b64", "06050164", "062c016b01"];
    assert_eq!(hex(&builder.build().bytes), format!("{head}{time}{deletion}{kept}{}", cells.concat()));
}

#[test]
fn a_row_of_three_values_takes_at_most_half_as_much_again() {
    let mut builder = Builder::new(864_000);
    builder.set_marker(Some(Cell::new(1_700_000_000_000_000, &[], 0, 0)));
    for (id, value) in [(3, &[1; 17][..]), (4, &[2; 17]), (5, &[3; 8])] {
        builder.push(CellView { id, part: Part::Whole, cell: Cell::new(1_700_000_000_000_000, value, 0, 0) });
    }
    assert_eq!(builder.build().bytes.len(), 61, "of 42 bytes of values");
}

proptest! {
    #[test]
    fn a_row_comes_back(row in row()) {
        prop_assert_eq!(decode(&row.build()), row);
    }

    // SEM: WID-LWW-2
    #[test]
    fn merging_bytes_is_merging_rows(a in row(), b in row(), over in prop::option::of(deletion())) {
        let expected = a.clone().merge(b.clone()).below(over);
        let built = merged(&a, &b, over, None);
        prop_assert_eq!(decode(&built), expected.clone());
        // However it was merged, it is stored in the one way in which it would have been written at once.
        prop_assert_eq!(&built.bytes, &expected.build().bytes);
        prop_assert_eq!(built.deadline, expected.build().deadline);
        prop_assert_eq!(built.scheduled, a.build().deadline);
    }

    // SEM: WID-LWW-2
    #[test]
    fn a_row_that_supersedes_another_is_what_both_come_to(a in prop_oneof![row(), plain_row()], b in prop_oneof![row(), plain_row()]) {
        let rules = Rules { over: None, column: &|_| Some(Parts::Bytes), has_dropped: false, grace: 10, swept_at: None };
        let (ours, theirs) = (a.build(), b.build());
        if ours.is_empty || theirs.is_empty {
            return Ok(());
        }
        let (own, new) = (RowView::new(&ours.bytes).unwrap(), RowView::new(&theirs.bytes).unwrap());
        let both = merge(&own, &new, &rules).unwrap();
        if supersedes(&theirs.bytes, &ours.bytes, &rules) {
            prop_assert_eq!(&both.bytes, &theirs.bytes);
            prop_assert_eq!((both.deadline, both.scheduled, both.is_empty), (None, None, false));
            prop_assert_eq!((theirs.deadline, theirs.scheduled), (None, None));
        }
        let over = Rules { over: Some(Deletion { timestamp: 0, deleted: 0 }), ..rules };
        prop_assert!(!supersedes(&theirs.bytes, &ours.bytes, &over));
    }

    // SEM: WID-LWW-2
    #[test]
    fn rows_merge_alike_in_any_order(
        (rows, shuffled) in prop::collection::vec(row(), 1..6)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        over in prop::option::of(deletion()),
        at in 0usize..6,
    ) {
        let join = |rows: &[Row], over| rows.iter().fold(Row::default(), |row, next| decode(&merged(&row, next, over, None)));
        let late = decode(&merged(&join(&rows, None), &Row::default(), over, None));
        let (before, after) = shuffled.split_at(at.min(shuffled.len()));
        let early = after.iter().fold(join(before, None), |row, next| decode(&merged(&row, next, over, None)));
        let early = decode(&merged(&early, &Row::default(), over, None));
        prop_assert_eq!(&early, &late);
        prop_assert_eq!(decode(&merged(&late, &early, over, None)), late);
    }

    // SEM: WID-TMB-1, WID-TTL-1
    #[test]
    fn sweeping_changes_nothing_that_is_seen_and_ends(row in row(), now in 0i64..30) {
        let swept = merged(&row, &Row::default(), None, Some(now));
        let after = decode(&swept);
        let seen = |row: &Row| row.cells.iter().filter(|(_, cell)| cell.is_live(now)).map(|(at, cell)| (*at, *cell)).collect::<Vec<_>>();
        prop_assert_eq!(seen(&after), seen(&row));
        prop_assert_eq!(after.marker.is_some_and(|marker| marker.is_live(now)), row.marker.is_some_and(|marker| marker.is_live(now)));
        prop_assert!(swept.deadline.is_none_or(|deadline| deadline.as_seconds() > now));
        prop_assert_eq!(decode(&merged(&after, &Row::default(), None, Some(now))), after);
    }

    #[test]
    fn any_bytes_are_a_row_or_an_error(bytes in prop::collection::vec(prop_oneof![0u8..0x40, any::<u8>()], 0..60)) {
        let bytes = [&[FORMAT][..], &bytes].concat();
        if let Ok(row) = RowView::new(&bytes) {
            let _ = row.cells().collect::<Result<Vec<_>, _>>();
            let _ = row.kept(1);
        }
    }
}
