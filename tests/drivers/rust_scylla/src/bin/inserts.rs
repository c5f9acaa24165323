//! How many prepared inserts a door takes each second from the driver `scylla`.
//!
//! ```sh
//! cargo build --release --features cli --bin larder
//! target/release/larder serve --cql 127.0.0.1:9042 &
//! cd tests/drivers/rust_scylla && cargo run --release --bin inserts -- 9042 [INSERTS] [AT_ONCE]
//! ```
//! Five rounds of 200,000 inserts, 512 at once, over one connection for each core as the driver opens them; the server, the driver and
//! its runtime share the machine.

use std::error::Error;
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use scylla::client::session_builder::SessionBuilder;
use scylla::value::{CqlDate, CqlTimestamp};

const ROUNDS: i64 = 5;
const DAY: u32 = (1 << 31) + 20_513;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: i64| arguments.get(at).map_or(Ok(otherwise), |text| text.parse());
    let port = arguments.first().ok_or("the port is missing")?;
    let (inserts, at_once) = (number(1, 200_000)?, usize::try_from(number(2, 512)?)?);
    let session = SessionBuilder::new().known_node(format!("127.0.0.1:{port}")).build().await?;
    let keyspace =
        "CREATE KEYSPACE IF NOT EXISTS bench WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
    session.query_unpaged(keyspace, ()).await?;
    let table = "CREATE TABLE IF NOT EXISTS bench.events \
                 (day date, at timestamp, id text, kind text, n int, PRIMARY KEY (day, at, id))";
    session.query_unpaged(table, ()).await?;
    let insert = session.prepare("INSERT INTO bench.events (day, at, id, kind, n) VALUES (?, ?, ?, ?, ?)").await?;
    let (session, insert) = (&session, &insert);
    for round in 0..ROUNDS {
        let start = Instant::now();
        let each = (round * inserts..(round + 1) * inserts).map(|n| async move {
            let day = CqlDate(DAY + u32::try_from(n / 100).unwrap_or(0));
            let values = (day, CqlTimestamp(n), format!("{n:08}"), "view", i32::try_from(n).unwrap_or(0));
            session.execute_unpaged(insert, values).await.map(drop)
        });
        stream::iter(each).buffer_unordered(at_once).try_for_each(|()| async { Ok(()) }).await?;
        let taken = start.elapsed().as_secs_f64();
        println!("{:.0} inserts each second", f64::from(u32::try_from(inserts)?) / taken);
    }
    session.query_unpaged("DROP KEYSPACE bench", ()).await?;
    Ok(())
}
