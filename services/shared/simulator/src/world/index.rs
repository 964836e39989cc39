//! Finding things by their ids. Kept only where somebody asks for things by their ids.

use std::collections::HashMap;
use std::sync::Arc;

use super::{AccountKey, AccountStatus, ChatKey, Message, MessageKey, Party, Person, Who, World};

/// Where everything is.
#[derive(Debug, Default)]
pub(super) struct Index {
    accounts: HashMap<Arc<str>, AccountKey>,
    chats: HashMap<Arc<str>, ChatKey>,
    messages: HashMap<Arc<str>, MessageKey>,
    people: HashMap<Arc<str>, (AccountKey, Who)>,
    people_by_jid: HashMap<(AccountKey, String), Who>,
    direct: HashMap<(AccountKey, Who), ChatKey>,
    by_provider: HashMap<(AccountKey, String), ChatKey>,
}

impl Index {
    pub(super) fn add_message(&mut self, id: Arc<str>, key: MessageKey) {
        self.messages.insert(id, key);
    }

    pub(super) fn forget(&mut self, message: Option<&Message>) {
        if let Some(message) = message {
            self.messages.remove(&message.id);
        }
    }

    pub(super) fn add_person(&mut self, account: AccountKey, who: Who, person: &Person) {
        self.people.insert(Arc::clone(&person.attendee_id), (account, who));
        self.people_by_jid.insert((account, person.phone_jid().to_owned()), who);
        self.people_by_jid.insert((account, person.provider_id().to_owned()), who);
    }
}

impl World {
    /// From here on things can be found by their ids.
    pub(crate) fn keep_index(&mut self) {
        self.index = Some(Index::default());
        for n in 0..self.accounts.len() {
            self.index_account(AccountKey(n));
        }
        for n in 0..self.chats.len() {
            self.index_chat(ChatKey(n));
        }
    }

    pub(super) fn index_account(&mut self, key: AccountKey) {
        let (Some(index), Some(account)) = (&mut self.index, self.accounts.get(key.0)) else {
            return;
        };
        index.accounts.insert(Arc::clone(&account.id), key);
        for (n, person) in account.people.iter().enumerate() {
            index.add_person(key, Who(n), person);
        }
    }

    pub(super) fn index_chat(&mut self, key: ChatKey) {
        let (Some(index), Some(chat)) = (&mut self.index, self.chats.get(key.0)) else {
            return;
        };
        index.chats.insert(Arc::clone(&chat.id), key);
        index.by_provider.insert((chat.account, chat.provider_id.clone()), key);
        if let Party::Direct(who) = chat.party {
            index.direct.insert((chat.account, who), key);
        }
        for (number, message) in chat.timeline.newest(usize::MAX) {
            index.add_message(Arc::clone(&message.id), MessageKey { chat: key, number });
        }
    }

    /// An account that is connected.
    pub(crate) fn find_account(&self, id: &str) -> Option<AccountKey> {
        let key = *self.index.as_ref()?.accounts.get(id)?;
        self.is_connected(key).then_some(key)
    }

    /// Whether an account is there: connected once, and not deleted.
    pub(crate) fn is_connected(&self, key: AccountKey) -> bool {
        let gone = [AccountStatus::Deleted, AccountStatus::CreationFail];
        self.account(key).is_some_and(|account| !gone.contains(&account.status))
    }

    pub(crate) fn find_chat(&self, id: &str) -> Option<ChatKey> {
        let key = *self.index.as_ref()?.chats.get(id)?;
        self.is_connected(self.chat(key)?.account).then_some(key)
    }

    /// A chat by WhatsApp's id of it.
    pub(crate) fn find_chat_of(&self, account: AccountKey, provider_id: &str) -> Option<ChatKey> {
        self.index.as_ref()?.by_provider.get(&(account, provider_id.to_owned())).copied()
    }

    pub(crate) fn find_message(&self, id: &str) -> Option<MessageKey> {
        let posted = self.index.as_ref()?.messages.get(id).copied();
        let key = posted.or_else(|| self.before.as_ref()?.find(id))?;
        self.is_connected(self.chat(key.chat)?.account).then_some(key)
    }

    /// A person by UniPile's id.
    pub(crate) fn find_person(&self, id: &str) -> Option<(AccountKey, Who)> {
        let found = *self.index.as_ref()?.people.get(id)?;
        self.is_connected(found.0).then_some(found)
    }

    /// A person whom an account knows, by one of WhatsApp's ids.
    pub(crate) fn find_person_of(&self, account: AccountKey, jid: &str) -> Option<Who> {
        self.index.as_ref()?.people_by_jid.get(&(account, jid.to_owned())).copied()
    }

    /// The chat that an account has with one person.
    pub(crate) fn find_direct(&self, account: AccountKey, who: Who) -> Option<ChatKey> {
        self.index.as_ref()?.direct.get(&(account, who)).copied()
    }

    /// Adds somebody to the people whom an account knows.
    pub(crate) fn meet(&mut self, account: AccountKey, person: Person) -> Option<Who> {
        let people = &mut self.accounts.get_mut(account.0)?.people;
        let who = Who(people.len());
        if let Some(index) = &mut self.index {
            index.add_person(account, who, &person);
        }
        people.push(person);
        Some(who)
    }
}
