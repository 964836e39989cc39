-- One person under several ids, and what the team says of people.

ALTER TABLE attendees ADD COLUMN ties TEXT;       -- the team's word, and the others who are the same person

ALTER TABLE person_links ADD COLUMN source INTEGER NOT NULL DEFAULT 3;  -- who said so; 3 is a message
