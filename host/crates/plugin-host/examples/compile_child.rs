//! What a program has to do to be the child of `Compiler::Child`. The tests start this one.

fn main() -> std::process::ExitCode {
    match trellis_plugin_host::compile_child(std::io::stdin(), std::io::stdout()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(reason) => {
            #[expect(clippy::print_stderr, reason = "the parent reads the reason there")]
            {
                eprintln!("{reason}");
            }
            std::process::ExitCode::FAILURE
        }
    }
}
