-- Payloads that are neither applied nor without effect, among them those whose state makes no sense: an
-- operator is told of them too. Beside webhook_inbox_waiting, which the program before this one reads by
-- and which goes when no such program runs any more.
CREATE INDEX webhook_inbox_unsettled ON webhook_inbox (state, id) WHERE state NOT IN (1, 2);
