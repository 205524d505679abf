//! The command line program.

fn main() -> std::process::ExitCode {
    portolan::cli::main()
}
