BEGIN TRANSACTION;
CREATE TABLE completions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "completions" VALUES(1,'r1','0','{"status":"ok","text":"def compute_reward(x): ..."}',1700000003.0);
INSERT INTO "completions" VALUES(2,'r2','0','{"status":"timeout","text":""}',1700000005.0);
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "events" VALUES(1,'note','c9d6afdf3e68c470','"A remark."',1700000011.0);
CREATE TABLE findings (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "findings" VALUES(1,'d1','examination','[]',1700000008.0);
CREATE TABLE meta (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "meta" VALUES(1,'schema','','1',1700000000.0);
INSERT INTO "meta" VALUES(2,'config','','{"env":"PushCube-v1","search":{"rounds":3}}',1700000001.0);
CREATE TABLE programs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "programs" VALUES(1,'d1','73a92774db9ff33b','{"digest":"d1","model":"tiny","parents":[],"proposer":"llm","request":"r1","source":"def compute_reward(x): ..."}',1700000007.0);
CREATE TABLE reopened (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "reopened" VALUES(1,'r2','0','{}',1700000006.0);
CREATE TABLE requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "requests" VALUES(1,'r1','','{"messages":[["user","Write a reward."]],"model":"tiny"}',1700000002.0);
INSERT INTO "requests" VALUES(2,'r2','','{"messages":[["user","Again."]],"model":"tiny"}',1700000004.0);
CREATE TABLE scores (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "scores" VALUES(1,'d1','screen','0.5',1700000009.0);
CREATE TABLE trials (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    payload TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (key, part)
);
INSERT INTO "trials" VALUES(1,'k','','{"arm":"dense","config":{"steps":10},"key":"k","result":{"success_any":1.0},"seed":3,"status":"ok"}',1700000010.0);
CREATE TRIGGER meta_no_update BEFORE UPDATE ON meta
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER meta_no_delete BEFORE DELETE ON meta
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
CREATE TRIGGER requests_no_update BEFORE UPDATE ON requests
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER requests_no_delete BEFORE DELETE ON requests
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
CREATE TRIGGER completions_no_update BEFORE UPDATE ON completions
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER completions_no_delete BEFORE DELETE ON completions
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
CREATE TRIGGER reopened_no_update BEFORE UPDATE ON reopened
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER reopened_no_delete BEFORE DELETE ON reopened
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
CREATE TRIGGER programs_no_update BEFORE UPDATE ON programs
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER programs_no_delete BEFORE DELETE ON programs
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
CREATE TRIGGER findings_no_update BEFORE UPDATE ON findings
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER findings_no_delete BEFORE DELETE ON findings
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
CREATE TRIGGER scores_no_update BEFORE UPDATE ON scores
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER scores_no_delete BEFORE DELETE ON scores
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
CREATE TRIGGER trials_no_update BEFORE UPDATE ON trials
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER trials_no_delete BEFORE DELETE ON trials
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'rows are never deleted'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('meta',2);
INSERT INTO "sqlite_sequence" VALUES('requests',2);
INSERT INTO "sqlite_sequence" VALUES('completions',2);
INSERT INTO "sqlite_sequence" VALUES('reopened',1);
INSERT INTO "sqlite_sequence" VALUES('programs',1);
INSERT INTO "sqlite_sequence" VALUES('findings',1);
INSERT INTO "sqlite_sequence" VALUES('scores',1);
INSERT INTO "sqlite_sequence" VALUES('trials',1);
INSERT INTO "sqlite_sequence" VALUES('events',1);
COMMIT;
