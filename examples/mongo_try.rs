#![allow(missing_docs)]
fn main() {
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let store = larder::Store::in_memory();
    let server = larder::server::mongo::MongoServer::start(&store, larder::server::Address::local(port), std::env::args().any(|a| a == "--standalone"), true).unwrap();
    println!("mongodb://{}", server.address());
    loop {
        std::thread::park();
    }
}
