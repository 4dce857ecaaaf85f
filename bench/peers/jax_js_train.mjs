// A training step as a program with jax-js has it: one function compiled by its jit, from parameters, the optimizer's
// state and a batch to new parameters, new state and the loss.

const [BETA1, BETA2, EPS] = [0.9, 0.999, 1e-8];

// Every use of an array takes it over; what is used again needs one more `ref` before.

/**
 * Mean cross-entropy of a fully connected network; `target` is one-hot. Weights are [outputs, inputs], with which its
 * loops are faster than with [inputs, outputs].
 */
const lossOf =
  ({ nn, numpy }) =>
  (parameters, x, target) => {
    let y = x;
    for (let i = 0; i < parameters.length; i += 2) {
      if (i > 0) y = nn.relu(y);
      y = numpy.matmul(y, parameters[i].transpose()).add(parameters[i + 1]);
    }
    const rows = target.shape[0];
    return nn
      .logSoftmax(y)
      .mul(target)
      .sum()
      .mul(-1 / rows);
  };

/** For each optimizer: its state at the start, and (parameters, state, gradients) → [parameters, state]. */
const OPTIMIZERS = {
  sgd: () => ({
    start: () => ({}),
    update: (parameters, state, gradients, lr) => [
      parameters.map((parameter, i) => parameter.sub(gradients[i].mul(lr))),
      state,
    ],
  }),
  adam: ({ numpy }) => ({
    start: (parameters) => {
      const zeros = () => parameters.map(({ shape }) => numpy.zeros(shape));
      return { m: zeros(), v: zeros(), power1: numpy.ones([]), power2: numpy.ones([]) };
    },
    update: (parameters, state, gradients, lr) => {
      const power1 = state.power1.mul(BETA1);
      const power2 = state.power2.mul(BETA2);
      const rate = numpy.reciprocal(numpy.subtract(1, power1.ref)).mul(lr);
      const correction = numpy.subtract(1, power2.ref);
      const m = state.m.map((m, i) => m.mul(BETA1).add(gradients[i].ref.mul(1 - BETA1)));
      const v = state.v.map((v, i) => v.mul(BETA2).add(numpy.square(gradients[i]).mul(1 - BETA2)));
      const next = parameters.map((parameter, i) => {
        const root = numpy.sqrt(v[i].ref.div(correction.ref)).add(EPS);
        return parameter.sub(m[i].ref.mul(rate.ref).div(root));
      });
      rate.dispose();
      correction.dispose();
      return [next, { m, v, power1, power2 }];
    },
  }),
};

/** Its side of a case `train`: losses of the first steps, and what to time. */
export async function prepareTraining(jax, work, { parameters, x, labels }) {
  const { jit, nn, numpy, tree, valueAndGrad } = jax;
  const optimizer = OPTIMIZERS[work.optimizer](jax);
  const step = jit((parameters, state, x, target) => {
    const own = parameters.map((parameter) => parameter.ref);
    const [loss, gradients] = valueAndGrad(lossOf(jax))(own, x, target);
    return [...optimizer.update(parameters, state, gradients, work.lr), loss];
  });
  const array = ({ data, shape }) => numpy.array(data, { shape });
  const input = array(x);
  const target = nn.oneHot(numpy.array(labels, { dtype: numpy.int32 }), work.shape.at(-1));
  let model = parameters.map(array);
  let state = optimizer.start(model);
  const call = async () => {
    let loss;
    [model, state, loss] = step(model, state, input.ref, target.ref);
    return (await loss.data())[0];
  };
  const losses = [];
  for (let i = 0; i < work.verifiedSteps; i++) losses.push(await call());
  return {
    losses,
    run: async (calls) => {
      for (let i = 0; i < calls; i++) await call();
    },
    close: () => {
      tree.dispose([model, state, input, target]);
      step.dispose();
    },
  };
}
