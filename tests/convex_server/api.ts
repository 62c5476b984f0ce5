/** Convex's HTTP API over a deployment, with the faults that were asked for. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Deployment, Kind } from "./deployment.ts";
import type { Fault, Faults } from "./faults.ts";
import * as wire from "./wire.ts";

export const DEPLOY_KEY = "prod:test-deployment|full-key";
export const LIMITED_KEY = "prod:test-deployment|may-not-run-functions";

const KINDS: Record<string, Kind> = { "/api/query": "query", "/api/mutation": "mutation" };

export class Api {
  readonly #deployment: Deployment;
  readonly #faults: Faults;
  #hanging: ServerResponse[] = [];

  constructor(deployment: Deployment, faults: Faults) {
    this.#deployment = deployment;
    this.#faults = faults;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await wire.readBody(request);
    const answer = await this.#answer(request, body, response);
    if (answer !== null) {
      wire.send(response, answer);
    }
  }

  /** Cut the calls that hang. */
  release(): void {
    this.#hanging.forEach(reset);
    this.#hanging = [];
  }

  async #answer(
    { method, url, headers }: IncomingMessage,
    body: string,
    response: ServerResponse,
  ): Promise<wire.Answer | null> {
    const kind = KINDS[url ?? ""];
    if (method !== "POST" || kind === undefined) {
      return wire.NOT_FOUND;
    }
    const call = wire.parseCall(body);
    if ("status" in call) {
      return call;
    }
    const refused = refuseKey(headers.authorization);
    if (refused !== null) {
      return refused;
    }
    const mayInternal = headers.authorization !== undefined;
    const run = async () => await this.#run(kind, call, mayInternal);
    return await this.#strike(this.#faults.strike(call.path), response, run);
  }

  async #run(kind: Kind, call: wire.FunctionCall, mayInternal: boolean): Promise<wire.Answer> {
    const outcome = await this.#deployment.call(kind, call.path, call.args, mayInternal);
    if ("error" in outcome) {
      console.error(`${call.path}: ${outcome.error}`);
    }
    return wire.toAnswer(outcome, randomBytes(8).toString("hex"));
  }

  /** Let a call meet its fault; `null` is a call that gets no answer. */
  async #strike(
    fault: Fault | null,
    response: ServerResponse,
    run: () => Promise<wire.Answer>,
  ): Promise<wire.Answer | null> {
    if (fault === null) {
      return await run();
    }
    switch (fault.kind) {
      case "reset":
        reset(response);
        return null;
      case "lost":
        await run();
        reset(response);
        return null;
      case "answer":
        return wire.toAnswer({ value: fault.value ?? null }, "fault");
      case "delay":
        await new Promise((resolve) => setTimeout(resolve, fault.ms ?? 0));
        return await run();
      case "hang":
        this.#hanging.push(response);
        return null;
      default:
        return wire.REFUSALS[fault.kind];
    }
  }
}

function refuseKey(authorization: string | undefined): wire.Answer | null {
  switch (authorization) {
    case undefined:
    case `Convex ${DEPLOY_KEY}`:
      return null;
    case `Convex ${LIMITED_KEY}`:
      return wire.REFUSALS.notPermitted;
    default:
      return authorization.startsWith("Bearer ")
        ? wire.NO_AUTH_PROVIDER
        : wire.REFUSALS.badKey;
  }
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}
