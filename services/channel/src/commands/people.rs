//! `channel people`: lists people, names them, and says who is who.

use anyhow::Context as _;
use channel_proto::messaging::v1::{
    JoinAttendeesRequest, SplitAttendeeRequest, UpdateAttendeeRequest,
};
use channel_proto::query::v1::ListAttendeesRequest;
use channel_proto::types::v1::Attendee;

use super::place;
use crate::client::{Client, ClientArgs, json};
use crate::output::{Output, table, tame};
use crate::{process, tokens};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account; without one the only account there is
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true, global = true)]
    account: String,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List people
    List {
        /// Only people whose name or number has words that begin so
        text: Vec<String>,
        /// Only the people of this chat: its id, or words of its title or number that no other chat has
        #[arg(long)]
        chat: Option<String>,
        /// Every id of a person, not only the one that shows them
        #[arg(long)]
        all: bool,
        /// Most people to list
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Give a person a name that is shown instead of their own
    Name {
        /// The id of the person
        id: String,
        /// The name; without one the person's own is shown again
        #[arg(default_value = "", hide_default_value = true)]
        name: String,
    },
    /// Say that two ids are the same person
    Join {
        /// The id of the person
        id: String,
        /// Another id of theirs
        other: String,
    },
    /// Say that an id is nobody else
    Split {
        /// The id
        id: String,
    },
}

const HEADING: [&str; 5] = ["ID", "NAME", "NUMBER", "PRIVACY ID", "SHOWN AS"];

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    process::ask(&args.client, people(args, out))
}

async fn people(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let people = carry_out(args, &client).await?;
    if args.json {
        for person in &people {
            out.line(json::line("channel.types.v1.Attendee", person)?)?;
        }
        return Ok(());
    }
    if people.is_empty() {
        return Ok(out.line("nobody")?);
    }
    for line in table(&HEADING, &people.iter().map(row).collect::<Vec<_>>()) {
        out.line(line)?;
    }
    Ok(())
}

async fn carry_out(args: &Args, client: &Client) -> anyhow::Result<Vec<Attendee>> {
    let account_id = place::account(client, &args.account).await?;
    let (attendee_id, local_name) = match &args.what {
        What::List { text, chat, all, limit } => {
            let mut request = ListAttendeesRequest {
                account_ids: vec![account_id.clone()],
                text: text.join(" "),
                distinct_persons: !all,
                ..ListAttendeesRequest::default()
            };
            if let Some(chat) = chat {
                request.chat_id = place::chat(client, &account_id, chat).await?.chat_id;
            }
            return find(client, request, *limit).await;
        }
        What::Join { id, other } => {
            let (attendee_id, other_attendee_id) = (id.clone(), other.clone());
            let request = JoinAttendeesRequest { account_id, attendee_id, other_attendee_id };
            return Ok(client.messaging().join_attendees(request).await?.into_inner().attendees);
        }
        What::Split { id } => (id.clone(), None),
        What::Name { id, name } => (id.clone(), Some(name.clone())),
    };
    let attendee = if local_name.is_some() {
        let request = UpdateAttendeeRequest { account_id, attendee_id, local_name };
        client.messaging().update_attendee(request).await?.into_inner().attendee
    } else {
        let request = SplitAttendeeRequest { account_id, attendee_id };
        client.messaging().split_attendee(request).await?.into_inner().attendee
    };
    Ok(vec![attendee.context("the answer names nobody")?])
}

async fn find(
    client: &Client,
    mut request: ListAttendeesRequest,
    limit: usize,
) -> anyhow::Result<Vec<Attendee>> {
    let mut people = Vec::new();
    while people.len() < limit {
        request.page_size = i32::try_from((limit - people.len()).min(200))?;
        let page = client.query().list_attendees(request.clone()).await?.into_inner();
        people.extend(page.attendees);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    Ok(people)
}

fn row(person: &Attendee) -> Vec<String> {
    let shown = if person.person_id == person.attendee_id { "" } else { &person.person_id };
    let own = if person.is_self { " (this account)" } else { "" };
    vec![
        person.attendee_id.clone(),
        format!("{}{own}", tame(&person.display_name)),
        person.phone_number.clone(),
        person.lid.clone(),
        shown.to_owned(),
    ]
}
