/** The routes: what comes in is checked by schemas, and every error says what came and what was needed. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import Fastify from "fastify";

// Features belong near 1. One example far beyond would make every later training overflow.
const LARGEST = 1e6;
const HEARTBEAT_MS = 15_000;

/** The server for a trainer; not listening yet. */
export function buildApp(trainer) {
  const app = Fastify({
    bodyLimit: 16 * 1024 * 1024,
    // A string is not a number: what is wrong is refused, not converted.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();

  const { features, classes } = trainer;
  const input = {
    type: "array",
    minItems: features,
    maxItems: features,
    items: { type: "number", minimum: -LARGEST, maximum: LARGEST },
  };
  const object = (properties, required) => ({
    type: "object",
    additionalProperties: false,
    properties,
    required,
  });
  const inputs = { type: "array", minItems: 1, maxItems: 10_000, items: input };
  const label = { type: "integer", minimum: 0, maximum: classes - 1 };

  app.post(
    "/examples",
    { schema: { body: object({ inputs, labels: { type: "array", items: label } }, ["inputs", "labels"]) } },
    (request, reply) => {
      const { inputs, labels } = request.body;
      if (inputs.length !== labels.length) {
        return refuse(
          reply,
          400,
          `body has ${inputs.length} inputs and ${labels.length} labels; there must be a label for each input`,
        );
      }
      trainer.examples.add(inputs, labels);
      return reply.code(201).send({ added: labels.length, examples: trainer.examples.count });
    },
  );

  app.post("/predict", { schema: { body: object({ inputs }, ["inputs"]) } }, (request) => {
    const probabilities = trainer.predict(request.body.inputs);
    return { labels: probabilities.map((row) => row.indexOf(Math.max(...row))), probabilities };
  });

  const positive = { type: "integer", minimum: 1 };
  const options = {
    epochs: { ...positive, maximum: 100_000, default: 10 },
    batchSize: { ...positive, maximum: 100_000, default: 32 },
    learningRate: { type: "number", exclusiveMinimum: 0, maximum: 1, default: 1e-3 },
  };
  app.post("/train", { schema: { body: object(options, []) } }, async (request, reply) => {
    if (trainer.examples.count === 0)
      return refuse(reply, 409, "there are no examples yet; POST /examples first");
    const job = await trainer.start(request.body);
    if (job === null) return refuse(reply, 409, "a training runs already; wait for it, or DELETE /train");
    return reply.code(202).send(job);
  });

  app.delete("/train", async () => {
    await trainer.stop();
    return trainer.status;
  });

  app.get("/status", () => trainer.status);

  // The delay of the event loop since this was last asked, in milliseconds.
  app.get("/event-loop", () => {
    const ms = (value) => value / 1e6;
    const result = { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) };
    delay.reset();
    return result;
  });

  const listeners = new Set();
  app.get("/progress", (_request, reply) => {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      connection: "close",
    });
    const send = (event) => raw.write(`data: ${JSON.stringify(event)}\n\n`);
    send({ type: "status", ...trainer.status });
    trainer.on("progress", send);
    const heartbeat = setInterval(() => raw.write(":\n\n"), HEARTBEAT_MS);
    listeners.add(raw);
    raw.on("close", () => {
      clearInterval(heartbeat);
      trainer.off("progress", send);
      listeners.delete(raw);
    });
  });

  // Streams would keep the server from closing.
  app.addHook("preClose", async () => {
    for (const raw of listeners) raw.end();
    listeners.clear();
  });
  app.addHook("onClose", async () => {
    delay.disable();
    await trainer.close();
  });
  return app;
}

const refuse = (reply, code, message) => {
  const error = code === 400 ? "Bad Request" : "Conflict";
  return reply.code(code).send({ statusCode: code, error, message });
};
