//! From ids in a request to things in the world.

use super::ask::Ask;
use super::error::Problem;
use crate::world::{AccountKey, ChatKey, MessageKey, Who};

impl Ask {
    pub(crate) fn account(&self, id: &str) -> Result<AccountKey, Problem> {
        self.engine.world.lock().find_account(id).ok_or_else(Problem::not_found)
    }

    /// The account that the query names, if it names one.
    pub(crate) fn asked_account(&self) -> Result<Option<AccountKey>, Problem> {
        self.query("account_id").map(|id| self.account(id)).transpose()
    }

    /// A chat by UniPile's id, or by WhatsApp's together with the account.
    pub(crate) fn chat(&self, id: &str) -> Result<ChatKey, Problem> {
        if let Some(key) = self.engine.world.lock().find_chat(id) {
            return Ok(key);
        }
        let account = self.asked_account()?.ok_or_else(Problem::not_found)?;
        self.engine.world.lock().find_chat_of(account, id).ok_or_else(Problem::not_found)
    }

    pub(crate) fn message(&self, id: &str) -> Result<MessageKey, Problem> {
        let world = self.engine.world.lock();
        let key = world.find_message(id).filter(|key| world.read(*key).is_some());
        key.ok_or_else(Problem::not_found)
    }

    pub(crate) fn person(&self, id: &str) -> Result<(AccountKey, Who), Problem> {
        self.engine.world.lock().find_person(id).ok_or_else(Problem::not_found)
    }

    /// People by UniPile's or WhatsApp's ids, several of them with commas between. WhatsApp's ids mean
    /// the same person in every account that knows them, or in the one that the query names.
    pub(crate) fn people(&self, ids: &str) -> Result<Vec<(AccountKey, Who)>, Problem> {
        let only = self.asked_account()?;
        let world = self.engine.world.lock();
        let accounts = (0..world.accounts().len()).map(AccountKey);
        let accounts: Vec<AccountKey> = accounts
            .filter(|key| world.is_connected(*key) && only.is_none_or(|only| only == *key))
            .collect();
        let mut found = Vec::new();
        for id in ids.split(',') {
            match world.find_person(id) {
                Some(person) => found.push(person),
                None => found.extend(
                    accounts
                        .iter()
                        .filter_map(|&account| Some((account, world.find_person_of(account, id)?))),
                ),
            }
        }
        if found.is_empty() { Err(Problem::not_found()) } else { Ok(found) }
    }
}
