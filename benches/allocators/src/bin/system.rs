//! The system's allocator.

fn main() {
    larder_allocators::main("system");
}
