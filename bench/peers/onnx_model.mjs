// An ONNX model of one node, in protobuf's wire format (onnx.proto, ModelProto): so much of it as that takes.

const FLOAT = 1;
const IR_VERSION = 8;
const OPSET = 20;

const varint = (value) => {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
};
const integer = (field, value) => [...varint(field * 8), ...varint(value)];
const message = (field, ...parts) => {
  const bytes = parts.flat();
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
};
const text = (field, value) => message(field, [...Buffer.from(value)]);

/** AttributeProto of an integer: name, i, type INT. */
const attribute = ([name, value]) => message(5, text(1, name), integer(3, value), integer(20, 2));

/** ValueInfoProto of a float tensor. */
const tensor = (field, name, shape) => {
  const dimensions = message(2, ...shape.map((size) => message(1, integer(1, size))));
  return message(field, text(1, name), message(2, message(1, integer(1, FLOAT), dimensions)));
};

/** The model that computes `output` by one operator of the default domain from the inputs, in order. */
export function oneNodeModel({ operator, attributes = {}, inputs, output }) {
  const node = message(
    1,
    ...inputs.map(({ name }) => text(1, name)),
    text(2, output.name),
    text(4, operator),
    ...Object.entries(attributes).map(attribute),
  );
  const graph = message(
    7,
    node,
    text(2, "one node"),
    ...inputs.map(({ name, shape }) => tensor(11, name, shape)),
    tensor(12, output.name, output.shape),
  );
  return Uint8Array.from([
    ...integer(1, IR_VERSION),
    ...graph,
    ...message(8, text(1, ""), integer(2, OPSET)),
  ]);
}
