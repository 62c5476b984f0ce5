/**
 * Serves Convex's HTTP API on one port and its controls on another, and tells
 * both ports in one line. It ends when its standard input does.
 */
// First of all: the functions shall know no other clock.
import "./clock.ts";

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Api, DEPLOY_KEY, LIMITED_KEY } from "./api.ts";
import { type Control, Controls } from "./controls.ts";
import { Deployment } from "./deployment.ts";
import { Faults } from "./faults.ts";
import { readBody, send } from "./wire.ts";

const deployment = new Deployment();
const faults = new Faults();
const api = new Api(deployment, faults);
const apiServer = createServer((request, response) => void api.serve(request, response));
// Idle connections are the client's to close, as with Convex's own servers.
apiServer.keepAliveTimeout = 60_000;
const apiPort = await listen(apiServer, 0);

const controls = new Controls(deployment, faults, {
  open: async () => {
    api.release();
    await listen(apiServer, apiPort);
  },
  shut: async () => {
    apiServer.closeAllConnections();
    await new Promise((resolve) => apiServer.close(resolve));
  },
});
const controlServer = createServer((request, response) => void serveControl(request, response));
const controlPort = await listen(controlServer, 0);

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
console.log(JSON.stringify({ apiPort, controlPort, key: DEPLOY_KEY, limitedKey: LIMITED_KEY }));

async function serveControl(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const control = JSON.parse(await readBody(request)) as Control;
    send(response, { status: 200, body: JSON.stringify(await controls.obey(control)) });
  } catch (error) {
    send(response, { status: 500, body: JSON.stringify({ error: String(error) }) });
  }
}

/** Listen on a port of this host unless it does already; returns the port. */
async function listen(server: Server, port: number): Promise<number> {
  if (!server.listening) {
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  }
  return (server.address() as AddressInfo).port;
}
