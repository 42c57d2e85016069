//! One binary for all tests from the outside; a line of purpose for each module.

// Says to clippy that helpers are tests too: they may unwrap.
#![cfg(test)]

mod support; // not tests: what several files need

mod architecture; // the layering law and other absences
mod dispatch_vectors; // docs/spec/vectors/dispatches.json: its generator, and that it opens to what it says
mod share_vectors; // docs/spec/vectors/shares.json: its generator, and that it opens to what it says
mod platform_vectors; // docs/spec/vectors/platforms.json: its generator, and that a report opens to what it says
mod picture_vectors; // docs/spec/vectors/pictures.json: its generator, and that only its key opens what it says
mod broken_vectors; // the generator of docs/spec/vectors/invalid.json
mod record_vectors; // docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit
mod interop; // a second reader in Python, written from the specifications alone, agrees
mod vectors; // the generator of the other docs/spec/vectors
mod vectors_centre; // part of that generator: what the centre states of classes, people and claims
mod vectors_counter; // part of that generator: what is done at a kiosk by hand
mod vectors_cases; // part of that generator: what people do about cases

mod face_bad_models; // unreadable, exchanged, missing model files are told by name at the start
mod face_data; // not tests: where models and pictures are, which runtimes there are
mod face_lfw; // each pack reaches its floor of accuracy on a fixed tenth of LFW
mod face_people; // both runtimes decide the same on real pictures; sizes of frames
mod face_reference; // points, boxes, liveness and embeddings are those of a reference implementation
mod models_bench; // calibrating, benches of the detector and of liveness, DET plots
mod models_cli; // `rollcall models`: exit codes, the three-line error, the JSON of the bench
mod models_install; // `rollcall models install`: every way a download or a copy can go
mod models_use; // `rollcall models use`: another pack, and templates that it refuses

mod journal_cuts; // one copy or both, cut and changed at every byte
mod journal_faults; // wrong folders, failing writes, damaged values
mod journal_power_cut; // the power is cut at every call to the disk, with every order of what was not synced
mod journal_tools; // check, repair and export of a journal that stands still, through the real binary
mod journal_model; // append, replay, release, crash, reopen against a vector
mod voyage; // seeded voyages of terminals, broker and centre keep every promise; each broken one is noticed
mod terminal_camera; // a stream that breaks and comes back, the kernel's cameras, a pinned one that is exchanged
mod terminal_cli; // the terminal's commands through the real binary
mod terminal_clock; // a clock that is set, or whose battery dies, is doubted, explained, and stops nobody
mod terminal_crash; // killed between every two steps; a full disk
mod terminal_doctor; // a healthy terminal is ok; each broken thing gives its finding and its hint
mod terminal_evidence; // evidence pictures: only on demand, for one key, on record, gone when they expire
mod terminal_evidence_cli; // the same through the real program: at its start, list, export
mod terminal_kills; // a busy terminal killed again and again at moments that a seed chooses
mod terminal_mosquitto; // broker, centre and terminal stopped, killed and started again

mod ingest_refusals; // every reason to refuse, and what is innocent
mod ledger_contract; // one suite, run on memory, sqlite and postgresql
mod ledger_upgrade; // a frozen ledger of version 1, brought forward
mod ledger_postgres; // a broken wire, a killed server, a second collector, a server that forgets
mod ingest_keys; // keys that follow each other, terminals that are revoked
mod log_audit; // every way to change a ledger behind its back is found by name
mod log_publish; // the public log, its memory and its witnesses, with real processes
mod log_proof; // slips and proofs of trainees; the log as a running collector serves it
mod log_page; // docs/verify.html in Chromium says what the program says
mod verify_cli; // `rollcall verify`: what holds, what was touched, what is not trusted
mod collector_broker; // a real Mosquitto: exactly once across kill -9, floods, garbage
mod centre_facts; // schools from the command line and from tables: add, list, import, every refusal
mod collector_postgres; // the database killed and cut off under a real collector: exactly once
mod centre_keys; // loss and rotation of the centre's two keys
mod enrolment_restored; // terminals, keys and revocations over a restore, in both stores
mod claims_cli; // what speaks against a claim, through the real binary: noted, stated, not granted
mod collector_backup; // backup and restore between stores; loss, and records offered again
mod collector_cli; // the collector's commands: exit codes, three-line errors, full disk
mod collector_picture; // the regulator's key; a picture is opened only once that is stated
mod collector_take; // records that people carry from a dead terminal

mod rules_arrival; // late data is not guilt: other delays, the same standing anomalies
mod rules_replay; // profiles that follow each other, replays, candidates beside the one in force
mod rules_cli; // `rollcall rules replay | shadow | promote` through the real program
mod rules_versions; // versions, inputs and ranges of anomalies; judging again gives the same bytes
mod rules_clocks; // clocks that contradict themselves, times that are refuted
mod rules_clock_stories; // a genuine terminal is never flagged, whatever happens to its clock
mod rules_golden; // each rule fires with the very words that people read, and stays silent
mod rules_honest_life; // honest days raise nothing; the order of arrival changes nothing
mod rules_habits; // rules over people's many lessons: each fires, and stays silent on its honest neighbour
mod rules_march; // the scene of rules over whole lessons
mod rules_patterns; // rules over lessons and terminals: each fires, and stays silent on its honest neighbour
mod rules_refused; // the rules over refused records, with the very words that people read
mod requirements_platforms; // those on online platforms: several devices, nobody there, and who counts
mod platforms; // their reports, over a real broker and as a file: once, in order, answered after the commit
mod platforms_http; // the same over HTTP and TLS: every refusal, both ways at once, slow and endless senders
mod rules_world; // not tests: two schools with people whom the centre knows
mod rules_scene; // the small world in which rules are tested
mod challenge_actor; // movements that show a living person, through the real nets
mod cases_once; // an anomaly is stored once, however often the ledger is judged; on sqlite and postgresql
mod cases_cli; // cases from the command line: taken, judged, contested; every refusal
mod notifications; // a running collector tells a real broker and a webhook of what is found and done; dead letters
mod feed_contract; // one suite for the log of events, run on sqlite and postgresql
mod feed_live; // who follows the feed misses nothing and sees nothing twice
mod web_api; // the page's server on the wire: stream, JSON, guards, busy port
mod kiosk_browser; // the kiosk's screen in Chromium: real people, real decisions, each state at three sizes
mod kiosk_counter; // what is done at the kiosk by hand, in Chromium: card and PIN, staff, consent, roll call
mod terminal_enrol; // a roster enrolled from a folder of photos
mod requirements; // the demands of the policies, by the numbers of their rows
mod requirements_people; // those on people: what bars a subsidy for life, whose hours are claimed
mod requirements_schools; // those on institutions: teachers, examinations, groups that move
mod policy_cli; // profiles: listed, shown, checked
mod simulate_cli; // `rollcall simulate` and `rollcall rules evaluate` through the real binary, on a tiny province
mod roll_calls; // a roll call that is ordered at the centre: real program, real broker, a terminal's door
mod terminal_room; // a roll call of a room: many people in one picture
mod kiosk_fixture; // a whole terminal with a made camera and its screen, in this process
mod kiosk_replan; // a new plan comes while the terminal runs: people, notices
mod web_browser; // the page in Chromium: both languages, 1280 and 390 px, live, paused, evidence
mod web_fixture; // an invented province, its server, and a plain HTTP client
mod web_cases; // the pages of cases and their JSON; nothing is judged over HTTP
mod demo_once; // the whole way, as a visitor runs it
mod whole_way; // real processes, real broker: from a picture to a verified line
mod broker_config; // firmware-config/mosquitto-trial.conf, with a real Mosquitto
mod enrolment; // a terminal comes in by a token; mutual TLS, access list, revocation, replacement
mod dispatch; // rosters, timetable, policy and statuses: from the centre to a terminal that then works offline
mod share; // templates pass between one institution's terminals, through a centre that cannot read them
mod authority; // the certificate authority is exchanged, with overlap and at once
mod pages; // every link of every page leads somewhere
