//! The native host: the engine behind HTTP for real kubectl, and the command line around it.

mod apply;
mod engine;
mod files;
mod front;
mod kubectl;
mod options;
mod run;
mod upgrade;

use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match options::parse(lexopt::Parser::from_env()) {
        Ok(options::Command::Help) => {
            print!("{}", options::HELP);
            Ok(())
        }
        Ok(options::Command::Serve(options)) => front::serve(&options),
        Ok(options::Command::Run(options)) => run::run(&options),
        Ok(options::Command::Replay(file)) => run::replay(&file),
        Ok(options::Command::Kubectl(words)) => match kubectl::run(&words) {
            Ok(code) => return ExitCode::from(code),
            Err(message) => Err(message),
        },
        Err(error) => Err(format!("{error}; see drydock --help")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("drydock: {message}");
            ExitCode::FAILURE
        }
    }
}
