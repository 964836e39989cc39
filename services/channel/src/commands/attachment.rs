//! `channel attachment`: saves the files of messages, and makes links to them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use channel_proto::query::v1::get_attachment_response::Part;
use channel_proto::query::v1::{
    AttachmentHeader, AttachmentVariant, CreateAttachmentLinkRequest, GetAttachmentRequest,
    GetAttachmentResponse, GetMessageRequest,
};
use channel_proto::types::v1::Message;
use tempfile::NamedTempFile;
use tonic::Streaming;

use crate::client::{Client, ClientArgs, json};
use crate::output::{Output, tame};
use crate::{process, tokens};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Save a file of a message
    Get(GetArgs),
    /// Print a link to a file of a message: whoever has it may read the file, without a token
    Link(LinkArgs),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The message, by its id; `channel messages --json` tells it
    message: String,
    /// The attachment, by its id; without one the only one of the message
    #[arg(default_value = "", hide_default_value = true)]
    attachment: String,
    /// The account of the message
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    account: String,
    /// The small picture of an image, not the image
    #[arg(long)]
    thumbnail: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    which: Which,
    /// Where to: a file, a folder, or `-` for standard output [default: its own name, in this folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    which: Which,
    /// How long the link is good at least, 1m to 24h; at most twice as long
    #[arg(long, value_name = "DURATION", value_parser = super::duration, default_value = "15m")]
    lifetime: Duration,
    /// Print the answer as JSON, which also says when the link ends
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) fn run(command: &Command, out: Output) -> anyhow::Result<()> {
    let client = match command {
        Command::Get(args) => &args.client,
        Command::Link(args) => &args.client,
    };
    process::ask(client, async {
        match command {
            Command::Get(args) => get(args, out).await,
            Command::Link(args) => link(args, out).await,
        }
    })
}

async fn get(args: &GetArgs, mut out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let (header, parts) = open(&client, args.which.request(&client).await?).await?;
    if args.out.as_deref() == Some(Path::new("-")) {
        return copy(&header, parts, out.raw()).await;
    }
    let path = target(args.out.as_deref(), &header.safe_file_name);
    // Looked at first: nobody wants to wait for a file that is then refused.
    ensure!(args.force || !path.exists(), "{} is there; `--force` writes over it", path.display());
    save(&header, parts, &path, args.force).await?;
    let told = format!("{}  {} bytes", tame(&path.display().to_string()), header.length);
    Ok(out.line(told)?)
}

async fn link(args: &LinkArgs, mut out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let file = args.which.request(&client).await?;
    let request = CreateAttachmentLinkRequest {
        account_id: file.account_id,
        message_id: file.message_id,
        attachment_id: file.attachment_id,
        lifetime_seconds: u32::try_from(args.lifetime.as_secs()).unwrap_or(u32::MAX),
        variant: file.variant,
    };
    let mut made = client.query().create_attachment_link(request).await?.into_inner();
    made.url = format!("{}{}", args.client.server().trim_end_matches('/'), made.url);
    if args.json {
        let name = "channel.query.v1.CreateAttachmentLinkResponse";
        return Ok(out.line(json::line(name, &made)?)?);
    }
    Ok(out.line(tame(&made.url))?)
}

impl Which {
    /// Asks for the file that is meant.
    async fn request(&self, client: &Client) -> anyhow::Result<GetAttachmentRequest> {
        let variant =
            if self.thumbnail { AttachmentVariant::Thumbnail } else { AttachmentVariant::Original };
        let mut request = GetAttachmentRequest {
            account_id: self.account.clone(),
            message_id: self.message.clone(),
            attachment_id: self.attachment.clone(),
            variant: variant.into(),
            ..GetAttachmentRequest::default()
        };
        if request.attachment_id.is_empty() {
            let message = GetMessageRequest {
                account_id: self.account.clone(),
                message_id: self.message.clone(),
                min_as_of_seq: 0,
            };
            let found = client.query().get_message(message).await?.into_inner().message;
            request.attachment_id = only(&found.context("the server answered without a message")?)?;
        }
        Ok(request)
    }
}

/// The only attachment of a message.
fn only(message: &Message) -> anyhow::Result<String> {
    match message.attachments.as_slice() {
        [] => bail!("the message has no attachments"),
        [file] => Ok(file.attachment_id.clone()),
        files => {
            let told =
                files.iter().map(|it| format!("\n  {}  {}", it.attachment_id, tame(&it.file_name)));
            bail!("the message has several attachments:{}", told.collect::<String>())
        }
    }
}

/// What a file is, and its bytes to come.
pub(super) async fn open(
    client: &Client,
    request: GetAttachmentRequest,
) -> anyhow::Result<(AttachmentHeader, Streaming<GetAttachmentResponse>)> {
    let mut parts = client.query().get_attachment(request).await?.into_inner();
    match parts.message().await?.and_then(|first| first.part) {
        Some(Part::Header(header)) => Ok((header, parts)),
        _ => bail!("the server answered without saying what the file is"),
    }
}

/// Writes all bytes of a file.
pub(super) async fn copy(
    header: &AttachmentHeader,
    mut parts: Streaming<GetAttachmentResponse>,
    to: &mut (impl Write + ?Sized),
) -> anyhow::Result<()> {
    let mut written = 0;
    while let Some(part) = parts.message().await? {
        if let Some(Part::Chunk(bytes)) = part.part {
            to.write_all(&bytes)?;
            written += bytes.len() as u64;
        }
    }
    ensure!(written == header.length, "the file broke off: it is not whole");
    Ok(to.flush()?)
}

/// Under its name once it is whole.
async fn save(
    header: &AttachmentHeader,
    parts: Streaming<GetAttachmentResponse>,
    path: &Path,
    force: bool,
) -> anyhow::Result<()> {
    let told = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(told)?;
    copy(header, parts, &mut file.as_file()).await?;
    file.as_file().sync_all().with_context(told)?;
    let kept = if force { file.persist(path) } else { file.persist_noclobber(path) };
    kept.map(drop).map_err(|error| error.error).with_context(told)
}

/// Where a file goes.
fn target(out: Option<&Path>, name: &str) -> PathBuf {
    match out {
        Some(folder) if folder.is_dir() => folder.join(own_name(name)),
        Some(file) => file.to_owned(),
        None => own_name(name).into(),
    }
}

/// Its own name, which leads nowhere and hides nothing, whatever the server says.
fn own_name(name: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let name: String = name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    let name = name.trim_start_matches(['.', '-', ' ']).trim_end();
    if name.is_empty() { "attachment".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use channel_proto::types::v1::Attachment;

    use super::*;

    #[test]
    fn a_file_gets_a_name_that_leads_nowhere() {
        for (name, own) in [
            ("Menü 1.pdf", "Menü 1.pdf"),
            ("../../.ssh/config", "_.._.ssh_config"),
            ("-rf\u{202e}", "rf_"),
            ("..", "attachment"),
        ] {
            assert_eq!(own_name(name), own, "{name}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(target(Some(folder.path()), "a.png"), folder.path().join("a.png"));
        assert_eq!(target(Some(Path::new("b.png")), "a.png"), Path::new("b.png"));
    }

    #[test]
    fn of_several_files_one_has_to_be_named() {
        let file = |id: &str| Attachment { attachment_id: id.to_owned(), ..Attachment::default() };
        let message = |files: &[&str]| Message {
            attachments: files.iter().map(|id| file(id)).collect(),
            ..Message::default()
        };
        assert_eq!(only(&message(&["a"])).unwrap(), "a");
        assert!(only(&message(&[])).unwrap_err().to_string().contains("no attachments"));
        let told = only(&message(&["a", "b"])).unwrap_err().to_string();
        assert!(told.contains("\n  a") && told.contains("\n  b"), "{told}");
    }
}
