//! jemalloc, with its defaults.

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    larder_allocators::main("jemalloc");
}
