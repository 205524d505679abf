//! The command line program.

/// Reading and evaluation make millions of small values on several threads, on which musl's allocator would spend most of a
/// run.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    portolan::cli::main()
}
