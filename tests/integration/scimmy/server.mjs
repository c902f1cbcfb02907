// An app with SCIM 2.0 on this machine, as the library SCIMMY makes it. It prints one line of JSON once it
// listens (url, path, token), and ends when it is told to, or when its standard input ends.
//
// SCIMMY parses, filters, patches and answers. This app keeps users and groups in memory, and has no two of one
// name, whatever the case. Under /sandbox/ are the doors of the sandboxes that tests use: what an admin of the
// app does, what is really there, and how often each path was called.

import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const BASE = "/scim/v2";
const token = randomUUID();
const users = new Map();
const groups = new Map();
const calls = new Map();

const plain = (value) => JSON.parse(JSON.stringify(value));
const notFound = (id) => new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);

/** Declare one type of resource, kept in `kept`, of which no two have the same value of `name`. */
function declare(type, kept, name, left = () => {}) {
    SCIMMY.Resources.declare(type)
        .ingress((resource, data) => {
            const before = kept.get(resource.id);
            if (resource.id && !before) throw notFound(resource.id);
            const same = (other) => other[name].toLowerCase() === data[name].toLowerCase();
            if ([...kept.values()].some((other) => other.id !== resource.id && same(other)))
                throw new SCIMMY.Types.Error(409, "uniqueness", `${name} is taken`);
            const id = resource.id ?? randomUUID();
            const now = new Date().toISOString();
            kept.set(id, { ...plain(data), id, meta: { created: before?.meta.created ?? now, lastModified: now } });
            return kept.get(id);
        })
        .egress((resource) => {
            const found = resource.filter ? resource.filter.match([...kept.values()]) : [...kept.values()];
            if (resource.id && !found.length) throw notFound(resource.id);
            return resource.id ? found[0] : found;
        })
        .degress((resource) => {
            if (!kept.delete(resource.id)) throw notFound(resource.id);
            left(resource.id);
        });
}

SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);
declare(SCIMMY.Resources.User, users, "userName", (id) => {
    for (const group of groups.values()) group.members = group.members?.filter((each) => each.value !== id);
});
declare(SCIMMY.Resources.Group, groups, "displayName");

const letIn = (request) => {
    if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("The token is missing or wrong");
};
const app = express();
app.use(BASE, (request, response, next) => {
    const call = JSON.stringify({ method: request.method, path: BASE + request.path });
    calls.set(call, (calls.get(call) ?? 0) + 1);
    next();
});
app.use(BASE, new SCIMMYRouters({ type: "bearer", handler: letIn }));
app.use("/sandbox/admin", new SCIMMYRouters({ type: "bearer", handler: () => {} }));
app.get("/sandbox/directory", (request, response) => {
    response.json({ users: [...users.values()], groups: [...groups.values()] });
});
app.get("/sandbox/requests", (request, response) => {
    response.json([...calls].map(([call, count]) => ({ ...JSON.parse(call), count })));
});
app.post("/sandbox/reset", (request, response) => {
    for (const each of [users, groups, calls]) each.clear();
    response.json({ status: "reset" });
});

const server = app.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, path: BASE, token }));
});
process.stdin.on("end", () => process.exit()).resume();
