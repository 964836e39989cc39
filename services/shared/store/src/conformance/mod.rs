//! The suite that proves a backend: the same cases, and the same random schedules, for every one.
//!
//! ```text
//! channel_store::store_conformance!(fresh_store);   // async fn fresh_store() -> Fresh
//! ```
//!
//! A case is named after the promise it proves, and panics when the backend breaks it.

#![expect(clippy::expect_used, clippy::panic, reason = "this is test code")]
#![expect(missing_docs, reason = "a case is named after the promise it proves")]
#![expect(clippy::missing_panics_doc, reason = "every case panics when a promise is broken")]

mod acts;
mod apply;
mod claims;
mod erase;
mod facts;
mod hosted;
mod inbox;
mod log;
mod media;
mod members;
mod order;
mod persons;
mod pictures;
mod reads;
mod removal;
mod retention;
mod sends;
mod starts;
mod syncs;
mod thumbnails;
mod uploads;

pub use acts::*;
pub use apply::*;
pub use claims::*;
pub use erase::*;
pub use hosted::*;
pub use inbox::*;
pub use log::*;
pub use media::*;
pub use members::*;
pub use order::*;
pub use persons::*;
pub use pictures::*;
pub use reads::*;
pub use removal::*;
pub use retention::*;
pub use sends::*;
pub use starts::*;
pub use syncs::*;
pub use thumbnails::*;
pub use uploads::*;

use crate::Store;
use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;

/// An empty store, and whatever must live as long as it.
pub struct Fresh {
    /// The store.
    pub store: Arc<dyn Store>,
    /// A folder, a server, …
    pub guard: Box<dyn Any + Send>,
    /// Runs a statement behind the store's back, to damage what it holds. Returns how many rows it changed.
    pub sql: Sql,
    /// Looks through every column of every table. Returns where it found a text, as `table.column`.
    pub places: Places,
}

/// See [`Fresh::sql`].
pub type Sql = Box<dyn Fn(String) -> Changed + Send + Sync>;

/// See [`Fresh::places`].
pub type Places = Box<dyn Fn(String) -> Found + Send + Sync>;

/// Where a text was found.
pub type Found = Pin<Box<dyn Future<Output = Vec<String>> + Send>>;

/// How many rows a statement changed.
pub type Changed = Pin<Box<dyn Future<Output = u64> + Send>>;

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh").finish_non_exhaustive()
    }
}

/// Makes a test of every case, for the backend whose empty stores the given async function makes.
#[macro_export]
macro_rules! store_conformance {
    ($fresh:path) => {
        $crate::store_conformance!($fresh:
            a_message_makes_its_chat_its_people_and_their_changes,
            a_copy_of_a_stored_fact_is_dropped,
            an_edit_a_receipt_and_a_reaction_may_come_before_their_message,
            unread_messages_are_counted_up_to_the_read_marker,
            a_new_name_renames_the_chat,
            a_status_that_repeats_asks_for_the_account,
            rejected_and_ignored_payloads_are_kept_with_their_reason,
            kept_payloads_are_due_and_can_be_settled,
            a_dry_run_changes_nothing,
            the_inbox_is_listed_by_what_every_part_of_a_filter_names,
            the_inbox_is_paged_in_both_orders,
            a_row_that_makes_no_sense_is_told_and_costs_its_neighbours_nothing,
            what_is_settled_is_not_set_aside,
            a_pending_payload_tells_when_it_is_tried_again,
            what_is_settled_can_be_pruned,
            the_log_is_dense_chained_and_true,
            concurrent_batches_keep_every_log_dense,
            a_reader_resumes_inside_the_history_and_nowhere_else,
            wakeups_tell_which_accounts_moved,
            chats_are_listed_newest_first_page_by_page,
            chats_are_filtered_by_unread_archived_and_title,
            messages_are_read_from_any_point_in_both_directions,
            a_message_itself_can_be_the_point_of_reading,
            words_are_found_newest_first_by_their_beginnings,
            pages_of_hits_are_complete_when_many_share_a_second,
            a_rare_word_is_found_behind_many_newer_messages,
            a_search_finds_nothing_of_another_account,
            people_are_listed_by_chat_and_by_name,
            a_message_is_pending_at_once_and_then_climbs,
            a_command_may_be_repeated_and_its_id_not_be_reused,
            messages_of_a_chat_leave_in_order_and_chats_do_not_wait_for_each_other,
            an_echo_that_comes_before_the_answer_is_held_until_the_answer,
            an_uncertain_message_is_settled_by_its_echo_and_never_sent_again,
            a_message_that_cannot_be_confirmed_is_left_to_a_person,
            a_refused_message_that_turns_up_was_sent,
            a_message_that_was_stored_as_another_one_becomes_one_again,
            a_message_can_be_cancelled_until_it_leaves,
            an_account_sends_at_its_pace_whoever_asks,
            what_is_done_is_shown_at_once_and_undone_when_it_did_not_take,
            what_is_newer_than_an_action_is_not_undone_with_it,
            a_chat_can_be_named_labelled_and_changed,
            what_is_asked_for_again_while_it_is_being_asked_is_not_forgotten,
            a_chat_that_is_started_is_here_at_once_and_gets_its_name_with_the_answer,
            whoever_has_a_chat_is_written_to_there,
            an_echo_of_a_new_chat_that_comes_before_the_answer_waits_for_it,
            an_answer_without_ids_is_completed_by_the_echo,
            a_chat_that_turns_up_meanwhile_takes_the_messages_over,
            what_follows_into_a_new_chat_waits_for_its_name,
            a_chat_that_could_not_be_started_is_started_by_the_next_message,
            a_start_that_is_sent_again_is_not_held_up_by_what_waits_for_it,
            new_chats_are_paced_by_themselves_and_capped,
            a_chat_that_was_here_under_a_privacy_id_is_known_by_its_people,
            the_name_of_a_new_chat_is_asked_for_where_only_its_message_was_named,
            an_outage_uses_up_no_new_chat,
            history_is_read_in_quietly_and_leaves_nothing_unread,
            hints_tell_history_from_news,
            a_chat_that_was_read_by_itself_is_complete_by_itself,
            a_page_that_is_read_twice_adds_nothing_and_tells_nothing,
            what_came_after_the_import_was_asked_for_is_news,
            what_was_stored_since_a_page_was_asked_for_is_newer,
            an_empty_page_in_the_middle_of_a_list_is_a_page,
            messages_of_the_same_second_stay_in_the_order_of_their_page,
            whoever_lost_a_synchronisation_writes_nothing_more,
            a_repair_begins_before_the_end_of_what_is_complete_and_its_news_are_unread,
            one_synchronisation_of_a_kind_runs_at_a_time,
            a_pause_is_told_once_and_ends_by_itself,
            a_group_is_known_by_its_people_and_subject,
            an_account_without_a_connection_takes_nothing_and_forgets_nothing,
            an_account_that_is_claimed_goes_to_its_claimant,
            payloads_that_nobody_owned_are_due_when_their_account_is_claimed,
            an_answer_is_as_old_as_its_question,
            a_link_is_used_once_and_before_its_end,
            a_used_link_is_confirmed_by_one_until_its_end_is_told,
            a_callback_makes_nobody_elses_account_change_hands,
            a_link_for_a_known_account_is_for_no_other,
            what_was_held_of_a_hosted_account_is_due_once_it_is_claimed,
            an_account_that_was_heard_of_before_its_callback_is_named_once,
            a_file_is_kept_in_pieces_until_it_expires,
            every_file_that_can_be_had_is_fetched_by_one_and_shown,
            a_fetch_that_failed_is_tried_again_and_its_older_end_says_nothing,
            a_fuller_copy_keeps_what_was_fetched_and_asks_for_the_rest,
            an_image_gets_one_small_picture_whichever_messages_have_it,
            a_try_that_nobody_ends_counts_and_one_that_is_given_back_does_not,
            what_was_stored_before_comes_last_and_what_is_no_image_is_passed,
            what_is_said_of_bytes_goes_with_them,
            pictures_are_looked_for_the_last_seen_first_and_shown_with_their_chats,
            a_look_that_fails_keeps_the_picture_and_one_that_finds_none_takes_it,
            a_picture_is_shown_with_every_id_of_a_person,
            whoever_is_seen_again_is_looked_for_once_the_picture_is_old_or_another,
            one_person_under_two_ids_is_shown_as_one_and_keeps_every_message,
            a_number_that_another_person_has_now_joins_nobody,
            the_team_joins_and_parts_people_and_has_the_last_word,
            the_team_names_a_person_and_takes_the_name_back,
            people_are_named_in_texts_as_the_account_knows_them,
            the_owner_is_known_under_every_id,
            whoever_is_not_listed_any_more_has_left_and_comes_back_with_a_message,
            a_group_of_a_thousand_is_read_at_once,
            a_chat_tells_once_that_somebody_came_or_went,
            a_group_of_a_thousand_that_comes_twice_tells_once,
            whatever_a_payload_shows_of_members_is_told_with_its_chat,
            an_erased_contact_is_found_nowhere_and_the_others_as_before,
            a_person_is_erased_under_every_id,
            what_was_erased_does_not_come_back_from_the_past,
            an_erasure_is_asked_for_once_and_by_known_names,
            a_payload_that_waits_is_applied_before_it_goes,
            an_erased_account_is_found_nowhere_and_the_others_as_before,
            an_account_is_erased_once_the_upstream_has_removed_it,
            whoever_follows_a_link_is_told_why_its_account_went,
            bytes_that_nothing_names_are_deleted_by_one_and_announced_ones_stay,
            old_messages_go_chat_by_chat_and_their_readers_are_told,
            what_has_ended_goes_when_it_is_old,
            facts_in_any_order_and_number_give_the_same_state
        );
    };
    ($fresh:path: $($case:ident),+) => {
        $(
            #[test]
            fn $case() {
                let runtime = $crate::conformance::runtime();
                let fresh = runtime.block_on($fresh());
                runtime.block_on($crate::conformance::$case(&fresh));
                runtime.block_on(async move { drop(fresh) });
            }
        )+
    };
}

/// The runtime that a case runs on.
///
/// # Panics
///
/// When none can be made.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}
