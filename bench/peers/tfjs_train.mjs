// A training step as a program with TensorFlow.js has it: variables, an optimizer's minimize(), the loss read.
import { repeat } from "../harness.mjs";

const [BETA1, BETA2, EPS] = [0.9, 0.999, 1e-8];
// Beyond, a step takes it seconds (784-1024-1024-10 on batches of 256).
const MOST_FLOPS = 1e9;

// Weights are [inputs, outputs], as its own layers have them: products with a transposed operand are slow there, and
// so a step has fewer of them (40 % less time than with [outputs, inputs] for 784-256-128-10).
function variable(tf, { data, shape }) {
  return tf.tidy(() => {
    const values = tf.tensor(data, shape);
    return tf.variable(shape.length === 2 ? values.transpose() : values);
  });
}

/** Its side of a case `train`: losses of the first steps, and what to time; null where a step takes too long. */
export function prepareTraining(tf, work, { parameters, x, labels }) {
  const { optimizer: kind, lr, shape, verifiedSteps, floor } = work;
  if (floor.flops > MOST_FLOPS) return null;
  const variables = parameters.map((parameter) => variable(tf, parameter));
  const optimizer = kind === "adam" ? tf.train.adam(lr, BETA1, BETA2, EPS) : tf.train.sgd(lr);
  const input = tf.tensor(x.data, x.shape);
  const target = tf.tidy(() => tf.oneHot(tf.tensor1d(labels, "int32"), shape.at(-1)).toFloat());
  const lossOf = () => {
    let y = input;
    for (let i = 0; i < variables.length; i += 2) {
      if (i > 0) y = y.relu();
      y = y.matMul(variables[i]).add(variables[i + 1]);
    }
    return tf.losses.softmaxCrossEntropy(target, y);
  };
  const step = () => {
    const loss = optimizer.minimize(lossOf, true, variables);
    const [value] = loss.dataSync();
    loss.dispose();
    return value;
  };
  return {
    losses: Array.from({ length: verifiedSteps }, step),
    run: repeat(step),
    close: () => {
      optimizer.dispose();
      tf.dispose([variables, input, target]);
    },
  };
}
