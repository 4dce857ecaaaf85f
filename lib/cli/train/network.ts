/** The network and the optimizer of a configuration. */
import * as init from "../../init/index.js";
import * as nn from "../../nn/index.js";
import * as optim from "../../optim/index.js";
import type { TrainConfig } from "./config.js";

const ACTIVATION_LAYERS: Record<TrainConfig["activation"], () => nn.Module> = {
  relu: () => new nn.ReLU(),
  tanh: () => new nn.Tanh(),
  sigmoid: () => new nn.Sigmoid(),
  gelu: () => new nn.GELU(),
  silu: () => new nn.SiLU(),
};

/** Gains where PyTorch has them; GELU and SiLU are closest to ReLU. */
const GAIN_OF: Record<TrainConfig["activation"], init.Nonlinearity> = {
  relu: "relu",
  tanh: "tanh",
  sigmoid: "sigmoid",
  gelu: "relu",
  silu: "relu",
};

type Initialize = (weight: nn.Parameter, nonlinearity: init.Nonlinearity) => void;

const INITIALIZERS: Record<Exclude<TrainConfig["init"], "default">, Initialize> = {
  "kaiming-uniform": (weight, nonlinearity) => init.kaimingUniform(weight, { nonlinearity }),
  "kaiming-normal": (weight, nonlinearity) => init.kaimingNormal(weight, { nonlinearity }),
  "xavier-uniform": (weight, nonlinearity) =>
    init.xavierUniform(weight, { gain: init.calculateGain(nonlinearity) }),
  "xavier-normal": (weight, nonlinearity) =>
    init.xavierNormal(weight, { gain: init.calculateGain(nonlinearity) }),
  "lecun-uniform": (weight) => init.lecunUniform(weight),
  "lecun-normal": (weight) => init.lecunNormal(weight),
};

/**
 * Linear layers with the activation, and dropout if any, between them. Initial weights come from the default
 * generator; every rule but `default` starts the biases at zero.
 */
export function buildModel(config: TrainConfig): nn.Sequential {
  const { layers, activation, dropout, init: rule } = config;
  const modules: nn.Module[] = [];
  for (let i = 1; i < layers.length; i++) {
    const isLast = i === layers.length - 1;
    const linear = new nn.Linear(layers[i - 1], layers[i]);
    if (rule !== "default") {
      INITIALIZERS[rule](linear.weight, isLast ? "linear" : GAIN_OF[activation]);
      if (linear.bias) init.zeros(linear.bias);
    }
    modules.push(linear);
    if (isLast) break;
    modules.push(ACTIVATION_LAYERS[activation]());
    if (dropout > 0) modules.push(new nn.Dropout(dropout));
  }
  return new nn.Sequential(...modules);
}

/** The optimizer of the model's parameters. */
export function buildOptimizer(
  config: TrainConfig,
  model: nn.Module,
): optim.Optimizer<optim.CommonOptions, optim.ParamState> {
  const { optimizer, lr, momentum, weightDecay } = config;
  const parameters = model.parameters();
  switch (optimizer) {
    case "sgd":
      return new optim.SGD(parameters, { lr, momentum, weightDecay });
    case "momentum":
      return new optim.Momentum(parameters, { lr, beta: momentum, weightDecay });
    case "nesterov":
      return new optim.Nesterov(parameters, { lr, beta: momentum, weightDecay });
    case "adam":
      return new optim.Adam(parameters, { lr, weightDecay });
    case "adamw":
      return new optim.AdamW(parameters, { lr, weightDecay });
    case "nadam":
      return new optim.NAdam(parameters, { lr, weightDecay });
    case "radam":
      return new optim.RAdam(parameters, { lr, weightDecay });
    case "adamax":
      return new optim.Adamax(parameters, { lr, weightDecay });
    case "adagrad":
      return new optim.Adagrad(parameters, { lr, weightDecay });
    case "adadelta":
      return new optim.Adadelta(parameters, { lr, weightDecay });
    case "rmsprop":
      return new optim.RMSprop(parameters, { lr, momentum, weightDecay });
    case "lion":
      return new optim.Lion(parameters, { lr, weightDecay });
    case "muon":
      // Biases, and the last layer too, would be AdamW's at its own rate.
      return new optim.Muon(parameters, { lr, momentum, weightDecay, adamScale: MUON_ADAM_SCALE });
  }
}

/** AdamW's rate beside Muon's default one is AdamW's default. */
const MUON_ADAM_SCALE = 0.05;
