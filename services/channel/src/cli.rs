//! The command line: what there is, and what it is called.

use clap::{Parser, Subcommand};

use crate::commands::{
    account, attachment, chats, config, erase, export, healthcheck, inbox, messages, migrate,
    people, run, send, serve, simulate, sync, token, watch,
};

/// What is said above the options.
const ABOUT: &str = "A WhatsApp channel over UniPile: webhooks in, live chats out.

Without a command it runs every role in one process on SQLite under ./data, on loopback.
Without UNIPILE_DSN and UNIPILE_API_KEY a built-in simulator takes UniPile's place.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "channel", version, about = ABOUT, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: run::Args,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one role in a process of its own, on PostgreSQL
    Serve(serve::Args),
    /// Bring the database up to date, and end
    Migrate(migrate::Args),
    /// Show the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Print every change as it happens; goes on where it stopped
    Watch(watch::Args),
    /// List chats, newest first
    Chats(chats::Args),
    /// Print the newest messages of a chat
    Messages(messages::Args),
    /// List people, name them, and say who is who
    People(people::Args),
    /// Save the files of messages, and make links to them
    #[command(subcommand)]
    Attachment(attachment::Command),
    /// Send a message into a chat
    Send(send::Args),
    /// Connect WhatsApp numbers, connect them again, list and remove them
    #[command(subcommand)]
    Account(account::Command),
    /// Read the history of an account or chat in, or repair what was missed
    Sync(sync::Args),
    /// Erase a contact, or an account with everything that is stored of it
    #[command(subcommand)]
    Erase(erase::Command),
    /// Write everything that is stored of an account or a contact, one JSON object a line
    Export(export::Args),
    /// Look at stored webhooks, and apply them again
    #[command(subcommand)]
    Inbox(inbox::Command),
    /// Make access tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Ask the running program whether it is ready; for containers
    Healthcheck(healthcheck::Args),
    /// A UniPile of an invented world: sends webhooks to an address, and serves the API
    Simulate(Box<simulate::Args>),
    /// Print the version
    Version,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The help of a command and of everything below it, longest form.
    fn help(command: &mut clap::Command, path: &str, all: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name()).trim().to_owned();
        let text = command.clone().bin_name(&path).render_long_help();
        all.push(format!("$ {path} --help\n{text}"));
        let below: Vec<_> =
            command.get_subcommands().map(clap::Command::get_name).map(str::to_owned).collect();
        for name in below.iter().filter(|name| *name != "help") {
            if let Some(command) = command.find_subcommand_mut(name) {
                help(command, &path, all);
            }
        }
    }

    #[test]
    fn the_command_line_is_what_the_documents_say() {
        let mut all = Vec::new();
        help(&mut Cli::command(), "", &mut all);
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn the_command_line_is_free_of_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_the_whole_program_do_not_leak_into_commands() {
        assert!(Cli::try_parse_from(["channel", "--listen", "127.0.0.1:0"]).is_ok());
        assert!(Cli::try_parse_from(["channel", "--listen", "127.0.0.1:0", "watch"]).is_err());
        assert!(Cli::try_parse_from(["channel", "serve", "no-such-role"]).is_err());
    }
}
