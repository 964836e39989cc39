//! The program: command line and composition.
//!
//! | part | what it does |
//! |---|---|
//! | [`cli`], [`commands`] | what can be asked for, one file a command |
//! | [`config`] | the whole configuration and its rules |
//! | [`roles`] | each role put together from its parts |
//! | [`process`] | a process of roles: build, run, end in order |
//! | [`store`], [`keys`], [`tokens`] | the database; what the program keeps for itself beside it |
//! | [`client`] | calls to a running process |
//! | [`output`] | what is printed |

mod cli;
mod client;
mod commands;
mod config;
mod exit;
mod keys;
mod output;
mod process;
mod roles;
mod store;
mod tokens;
mod welcome;
mod when;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    channel_runtime::http::install_crypto();
    let out = Output::stdout();
    exit::code(match cli.command {
        None => commands::run::run(cli.run, out),
        Some(Command::Serve(args)) => commands::serve::run(args),
        Some(Command::Migrate(args)) => commands::migrate::run(&args, out),
        Some(Command::Config(command)) => commands::config::run(&command, out),
        Some(Command::Watch(args)) => commands::watch::run(args, out),
        Some(Command::Chats(args)) => commands::chats::run(&args, out),
        Some(Command::People(args)) => commands::people::run(&args, out),
        Some(Command::Messages(args)) => commands::messages::run(&args, out),
        Some(Command::Attachment(command)) => commands::attachment::run(&command, out),
        Some(Command::Send(args)) => commands::send::run(&args, out),
        Some(Command::Sync(args)) => commands::sync::run(&args, out),
        Some(Command::Account(command)) => commands::account::run(&command, out),
        Some(Command::Erase(command)) => commands::erase::run(&command, out),
        Some(Command::Export(args)) => commands::export::run(&args, out),
        Some(Command::Inbox(command)) => commands::inbox::run(&command, out),
        Some(Command::Token(command)) => commands::token::run(command, out),
        Some(Command::Healthcheck(args)) => commands::healthcheck::run(&args, out),
        Some(Command::Simulate(args)) => commands::simulate::run(&args, out),
        Some(Command::Version) => commands::version::run(out),
    })
}
