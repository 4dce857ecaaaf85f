/** Schedulers: the rates of PyTorch, saving and loading, bad input, and steps inside compiled functions. */
import { describe, expect, test } from "vitest";
import { compile } from "../../lib/compile/index.js";
import { ArgumentError, StateError, TraceError } from "../../lib/errors.js";
import * as optim from "../../lib/optim/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { readFixture } from "../nn/fixtures.js";

interface Part {
  scheduler: string;
  options: Record<string, unknown>;
}

interface Schedule extends Part {
  optimizer: "SGD" | "Adam";
  rates: number[][];
  momenta?: number[];
}

interface Plateaus {
  losses: number[];
  results: { options: optim.PlateauOptions; rates: number[][] }[];
}

const { schedules, plateaus } = readFixture<{ schedules: Schedule[]; plateaus: Plateaus }>("schedulers.json");

/** Relative; of what is nearly 0 at the end of a cosine, relative to 1e-3. */
const TOLERANCE = 1e-15;

const SCHEDULERS = {
  StepLR: optim.StepLR,
  MultiStepLR: optim.MultiStepLR,
  ExponentialLR: optim.ExponentialLR,
  ConstantLR: optim.ConstantLR,
  LinearLR: optim.LinearLR,
  PolynomialLR: optim.PolynomialLR,
  CosineAnnealingLR: optim.CosineAnnealingLR,
  CosineAnnealingWarmRestarts: optim.CosineAnnealingWarmRestarts,
  OneCycleLR: optim.OneCycleLR,
};

type Rule = optim.SGD | optim.Adam;

const parameter = (): Tensor => tensor([1, 2], { dtype: "float64", requiresGrad: true });

/** Two groups with different rates, as in scripts/make_fixtures.py. */
function makeOptimizer(rule: "SGD" | "Adam" = "SGD"): Rule {
  const Made = rule === "SGD" ? optim.SGD : optim.Adam;
  return new Made([{ params: [parameter()] }, { params: [parameter()], lr: 0.02 }], { lr: 0.1 });
}

function makeScheduler(optimizer: Rule, { scheduler, options }: Part): optim.LRScheduler {
  const parts = (options.schedulers as Part[] | undefined)?.map((each) => makeScheduler(optimizer, each));
  switch (scheduler) {
    case "SequentialLR":
      return new optim.SequentialLR(optimizer, {
        ...(options as never as { milestones: number[] }),
        schedulers: parts ?? [],
      });
    case "ChainedScheduler":
      return new optim.ChainedScheduler(parts ?? []);
    default: {
      const Made = SCHEDULERS[scheduler as keyof typeof SCHEDULERS] as typeof optim.StepLR;
      return new Made(optimizer, options as never);
    }
  }
}

const title = ({ scheduler, options }: Part): string => `${scheduler} ${JSON.stringify(options)}`;

function momentumOf(group: object): number {
  const { momentum, betas } = group as { momentum?: number; betas?: [number, number] };
  return momentum ?? (betas as [number, number])[0];
}

describe("the rates of PyTorch", () => {
  test.each(schedules.map((each) => [title(each), each] as const))("%s", (_, schedule) => {
    const optimizer = makeOptimizer(schedule.optimizer);
    const scheduler = makeScheduler(optimizer, schedule);
    schedule.rates.forEach((rates, epoch) => {
      expect(scheduler.lastEpoch).toBe(epoch);
      rates.forEach((rate, i) => {
        const got = optimizer.paramGroups[i].lr;
        const error = Math.abs(got - rate) / Math.max(Math.abs(rate), 1e-3);
        expect(error, `epoch ${epoch}, group ${i}: ${got} instead of ${rate}`).toBeLessThanOrEqual(TOLERANCE);
      });
      if (schedule.momenta !== undefined) {
        expect(momentumOf(optimizer.paramGroups[0])).toBeCloseTo(schedule.momenta[epoch], 14);
      }
      scheduler.step();
    });
  });

  test.each(plateaus.results.map((each) => [JSON.stringify(each.options), each] as const))(
    "ReduceLROnPlateau %s",
    (_, { options, rates }) => {
      const optimizer = makeOptimizer();
      const scheduler = new optim.ReduceLROnPlateau(optimizer, options);
      plateaus.losses.forEach((loss, i) => {
        scheduler.step(i % 2 === 0 ? loss : tensor(loss, { dtype: "float64" }));
        expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual(rates[i]);
      });
    },
  );
});

describe("a scheduler", () => {
  test("of a group's own kind of rate", () => {
    const optimizer = makeOptimizer();
    const scheduler = new optim.LambdaLR(optimizer, { lrLambda: [(epoch) => 1 / (epoch + 1), () => 2] });
    scheduler.step();
    scheduler.step();
    expect(scheduler.getLastLr()).toEqual([0.1 / 3, 0.04]);
  });

  test("warms up", () => {
    const optimizer = makeOptimizer();
    const scheduler = new optim.WarmupLR(optimizer, { warmupSteps: 4 });
    const rates = Array.from({ length: 6 }, () => {
      const { lr } = optimizer.paramGroups[0];
      scheduler.step();
      return lr;
    });
    [0.025, 0.05, 0.075, 0.1, 0.1, 0.1].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 15);
    });
    const chained = makeOptimizer();
    const both = new optim.ChainedScheduler([
      new optim.WarmupLR(chained, { warmupSteps: 2, startFactor: 0.5 }),
      new optim.ExponentialLR(chained, { gamma: 0.5 }),
    ]);
    expect(chained.paramGroups[0].lr).toBeCloseTo(0.075, 15);
    both.step();
    expect(chained.paramGroups[0].lr).toBeCloseTo(0.05, 15);
    both.step();
    expect(chained.paramGroups[0].lr).toBeCloseTo(0.025, 15);
  });

  test("restarts at fractions of epochs", () => {
    const optimizer = makeOptimizer();
    const scheduler = new optim.CosineAnnealingWarmRestarts(optimizer, { t0: 2, tMult: 2 });
    const at = (epoch: number): number => {
      scheduler.step(epoch);
      return optimizer.paramGroups[0].lr;
    };
    expect(at(1.5)).toBeCloseTo(0.05 * (1 + Math.cos((Math.PI * 1.5) / 2)), 15);
    expect(at(2)).toBe(0.1);
    expect(at(5)).toBeCloseTo(0.05 * (1 + Math.cos((Math.PI * 3) / 4)), 15);
    expect(at(6)).toBe(0.1);
    expect(scheduler.lastEpoch).toBe(6);
    scheduler.step();
    expect(optimizer.paramGroups[0].lr).toBeCloseTo(0.05 * (1 + Math.cos(Math.PI / 8)), 15);
  });

  test.each(schedules.map((each) => [title(each), each] as const))(
    "%s goes on from a saved state",
    (_, each) => {
      const first = makeOptimizer(each.optimizer);
      const scheduler = makeScheduler(first, each);
      for (let epoch = 0; epoch < 9; epoch++) scheduler.step();
      const saved = JSON.parse(JSON.stringify([first.stateDict(), scheduler.stateDict()]));
      const second = makeOptimizer(each.optimizer);
      const resumed = makeScheduler(second, each);
      resumed.loadStateDict(saved[1]);
      second.loadStateDict(saved[0]);
      for (let epoch = 9; epoch < 22; epoch++) {
        expect(second.paramGroups.map(({ lr }) => lr)).toEqual(first.paramGroups.map(({ lr }) => lr));
        scheduler.step();
        resumed.step();
      }
      expect(resumed.stateDict()).toEqual(scheduler.stateDict());
    },
  );

  test("ReduceLROnPlateau goes on from a saved state", () => {
    const [first, second] = [makeOptimizer(), makeOptimizer()];
    const options = { patience: 1, cooldown: 1 };
    const scheduler = new optim.ReduceLROnPlateau(first, options);
    const resumed = new optim.ReduceLROnPlateau(second, options);
    resumed.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())));
    expect(resumed.best).toBe(Infinity);
    for (const loss of [3, 3, 3, 3]) scheduler.step(loss);
    resumed.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())));
    second.loadStateDict(first.stateDict());
    for (const loss of [3, 3, 3, 2, 2, 2, 2]) {
      scheduler.step(loss);
      resumed.step(loss);
      expect(second.paramGroups[0].lr).toBe(first.paramGroups[0].lr);
    }
    expect(resumed.stateDict()).toEqual(scheduler.stateDict());
  });
});

describe("refuses", () => {
  const o = makeOptimizer();
  const step = { scheduler: "StepLR", lastEpoch: 1, baseLrs: [1, 2], lastLr: [1, 2] };
  const cases: [string, () => unknown, new (message: string) => Error, string][] = [
    [
      "no optimizer",
      () => new optim.StepLR({} as never, { stepSize: 1 }),
      ArgumentError,
      "StepLR: the first argument must be an optimizer",
    ],
    [
      "no step size",
      () => new optim.StepLR(o, {} as never),
      ArgumentError,
      "StepLR: stepSize must be a positive integer, got undefined",
    ],
    [
      "two lengths of a cycle",
      () =>
        new optim.OneCycleLR(o, {
          maxLr: 1,
          totalSteps: 5,
          epochs: 2,
          stepsPerEpoch: 3,
          cycleMomentum: false,
        }),
      ArgumentError,
      "OneCycleLR: takes totalSteps, or epochs and stepsPerEpoch",
    ],
    [
      "a negative factor",
      () => new optim.ExponentialLR(o, { gamma: -1 }),
      ArgumentError,
      "ExponentialLR: gamma must be a number ≥ 0, got -1",
    ],
    [
      "an unknown option",
      () => new optim.LinearLR(o, { start: 1 } as never),
      ArgumentError,
      "LinearLR: unknown option start; it takes startFactor",
    ],
    [
      "a factor of 0",
      () => new optim.ConstantLR(o, { factor: 0 }),
      ArgumentError,
      "ConstantLR: factor must be a number in (0, 1], got 0",
    ],
    [
      "no milestones",
      () => new optim.MultiStepLR(o, {} as never),
      ArgumentError,
      "MultiStepLR: needs milestones",
    ],
    [
      "half a milestone",
      () => new optim.MultiStepLR(o, { milestones: [1.5] }),
      ArgumentError,
      "MultiStepLR: milestones[0] must be an integer, got 1.5",
    ],
    [
      "no function",
      () => new optim.LambdaLR(o, { lrLambda: 1 as never }),
      ArgumentError,
      "LambdaLR: lrLambda must be a function of the epoch or an array of 2",
    ],
    [
      "too few functions",
      () => new optim.LambdaLR(o, { lrLambda: [() => 1] }),
      ArgumentError,
      "LambdaLR: lrLambda must be",
    ],
    [
      "a cycle without steps",
      () => new optim.OneCycleLR(o, { maxLr: 1 }),
      ArgumentError,
      "OneCycleLR: needs totalSteps, or epochs and stepsPerEpoch",
    ],
    [
      "rates for other groups",
      () => new optim.OneCycleLR(o, { maxLr: [1], totalSteps: 3 }),
      ArgumentError,
      "OneCycleLR: maxLr must be a number or an array of 2",
    ],
    [
      "momentum that is not there",
      () => new optim.OneCycleLR(new optim.Adagrad([parameter()]), { maxLr: 1, totalSteps: 3 }),
      ArgumentError,
      "OneCycleLR: cycleMomentum needs an optimizer with momentum",
    ],
    [
      "another strategy",
      () => new optim.OneCycleLR(o, { maxLr: 1, totalSteps: 3, annealStrategy: "sine" as never }),
      ArgumentError,
      'OneCycleLR: annealStrategy must be "cos" or "linear", got "sine"',
    ],
    [
      "a growing plateau",
      () => new optim.ReduceLROnPlateau(o, { factor: 1 }),
      ArgumentError,
      "ReduceLROnPlateau: factor must be a number in [0, 1), got 1",
    ],
    [
      "a loss that is no number",
      () => new optim.ReduceLROnPlateau(o).step("1" as never),
      ArgumentError,
      "ReduceLROnPlateau.step: needs a number or a tensor of one element",
    ],
    [
      "no schedulers",
      () => new optim.ChainedScheduler([]),
      ArgumentError,
      "ChainedScheduler: schedulers is empty",
    ],
    [
      "schedulers of two optimizers",
      () =>
        new optim.ChainedScheduler([
          new optim.StepLR(o, { stepSize: 1 }),
          new optim.StepLR(makeOptimizer(), { stepSize: 1 }),
        ]),
      ArgumentError,
      "ChainedScheduler: schedulers[1] is of another optimizer",
    ],
    [
      "a scheduler twice",
      () => {
        const scheduler = new optim.StepLR(o, { stepSize: 1 });
        return new optim.SequentialLR(o, { schedulers: [scheduler, scheduler], milestones: [1] });
      },
      ArgumentError,
      "SequentialLR: schedulers[1] is schedulers[0] again",
    ],
    [
      "too many milestones",
      () =>
        new optim.SequentialLR(o, { schedulers: [new optim.StepLR(o, { stepSize: 1 })], milestones: [1] }),
      ArgumentError,
      "SequentialLR: 1 schedulers need 0 milestones, got 1",
    ],
    [
      "a negative epoch",
      () => new optim.CosineAnnealingWarmRestarts(o, { t0: 1 }).step(-1),
      ArgumentError,
      "the epoch must be a number ≥ 0, got -1",
    ],
    [
      "the state of another scheduler",
      () => new optim.ExponentialLR(o, { gamma: 1 }).loadStateDict(step),
      StateError,
      "ExponentialLR.loadStateDict: needs the state of ExponentialLR, got the state of StepLR",
    ],
    [
      "the state of other groups",
      () => new optim.StepLR(o, { stepSize: 1 }).loadStateDict({ ...step, baseLrs: [1] }),
      StateError,
      "StepLR.loadStateDict: baseLrs must be 2 numbers",
    ],
    [
      "no state",
      () => new optim.StepLR(o, { stepSize: 1 }).loadStateDict(null as never),
      StateError,
      "StepLR.loadStateDict: needs the state of StepLR, got null",
    ],
  ];
  test.each(cases)("%s", (_, run, kind, message) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(message);
  });

  test("a step beyond the cycle, which changes nothing", () => {
    const optimizer = makeOptimizer();
    const scheduler = new optim.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 2, pctStart: 0.5 });
    scheduler.step();
    scheduler.step();
    const before = [scheduler.lastEpoch, ...scheduler.getLastLr()];
    expect(() => scheduler.step()).toThrow(StateError);
    expect([scheduler.lastEpoch, ...scheduler.getLastLr()]).toEqual(before);
  });
});

describe("in a compiled function", () => {
  const makers: Record<string, (optimizer: Rule) => optim.LRScheduler> = {
    exponential: (optimizer) => new optim.ExponentialLR(optimizer, { gamma: 0.5 }),
    restarts: (optimizer) => new optim.CosineAnnealingWarmRestarts(optimizer, { t0: 3 }),
    "one cycle": (optimizer) => new optim.OneCycleLR(optimizer, { maxLr: 0.2, totalSteps: 20 }),
    sequential: (optimizer) =>
      new optim.SequentialLR(optimizer, {
        schedulers: [
          new optim.WarmupLR(optimizer, { warmupSteps: 3 }),
          new optim.CosineAnnealingLR(optimizer, { tMax: 5 }),
        ],
        milestones: [3],
      }),
  };

  test.each(Object.keys(makers))("%s steps at every call, as outside", (name) => {
    const make = () => {
      const weight = tensor([1, -2, 3], { requiresGrad: true });
      const optimizer = new optim.Adam([weight], { lr: 0.1 });
      const scheduler = makers[name](optimizer);
      const step = (x: Tensor): Tensor => {
        optimizer.zeroGrad();
        const loss = weight.mul(x).square().sum();
        loss.backward();
        optimizer.step();
        scheduler.step();
        return loss;
      };
      return { weight, optimizer, scheduler, step };
    };
    const [plain, traced] = [make(), make()];
    const compiled = compile(traced.step);
    const x = tensor([1, 0.5, 2]);
    for (let i = 0; i < 10; i++) {
      expect(compiled.sync(x).item()).toBe(plain.step(x).item());
      expect(traced.scheduler.stateDict()).toEqual(plain.scheduler.stateDict());
      expect(traced.optimizer.paramGroups[0].betas).toEqual(plain.optimizer.paramGroups[0].betas);
    }
    expect(traced.weight.toArray()).toEqual(plain.weight.toArray());
  });

  test("a call that fails takes the scheduler back", () => {
    const weight = tensor([1], { requiresGrad: true });
    const optimizer = new optim.SGD([weight], { lr: 0.1 });
    const scheduler = new optim.ExponentialLR(optimizer, { gamma: 0.5 });
    const second = new optim.OneCycleLR(new optim.SGD([tensor([1], { requiresGrad: true })]), {
      maxLr: 1,
      totalSteps: 2,
    });
    const step = compile((x: Tensor) => {
      scheduler.step();
      second.step();
      return x.mul(2);
    });
    const x = tensor([1]);
    step.sync(x);
    step.sync(x);
    expect(() => step.sync(x)).toThrow(StateError);
    expect([scheduler.lastEpoch, optimizer.paramGroups[0].lr]).toEqual([2, 0.025]);
  });

  test("what looks at a value is refused", () => {
    const scheduler = new optim.ReduceLROnPlateau(makeOptimizer());
    const step = compile((x: Tensor) => {
      scheduler.step(x.sum());
      return x;
    });
    expect(() => step.sync(tensor([1]))).toThrow(TraceError);
    expect(() => step.sync(tensor([1]))).toThrow(
      "ReduceLROnPlateau.step cannot be part of a compiled function",
    );
  });
});
