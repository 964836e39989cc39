-- Small pictures of images.

-- Whether it is still to be looked at for a small picture, and which first: 0 just stored, 1 stored by an older program;
-- none: not any more.
ALTER TABLE media_fetches ADD COLUMN thumbnail_turn INTEGER DEFAULT 1;
CREATE INDEX media_fetches_thumbnails ON media_fetches (thumbnail_turn)
  WHERE state = 2 AND thumbnail_turn IS NOT NULL;

-- The making of small pictures, one row for each image. It goes with the image's bytes.
CREATE TABLE media_thumbnails (
  sha256   TEXT PRIMARY KEY,              -- of the image
  attempts INTEGER NOT NULL,              -- tries that began
  next_at  INTEGER,                       -- the end of the lease, or the next try; none: it has ended
  made     TEXT                           -- what came of it, as JSON
) STRICT, WITHOUT ROWID;
