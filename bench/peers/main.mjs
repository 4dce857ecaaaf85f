// npm run bench:peers: the rows of `npm run bench` that have a peer, one peer at a time within the run.
process.argv.push("--filter", "^train");
await import("../main.mjs");
