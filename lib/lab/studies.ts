/** The ten studies in the lecture's order. */
import { study } from "./experiment.js";
import { centralLimit } from "./experiments/central_limit.js";
import { classification } from "./experiments/classification.js";
import { deepNorms } from "./experiments/deep_norms.js";
import { deepTraining } from "./experiments/deep_training.js";
import { gradientDescent } from "./experiments/gradient_descent.js";
import { momentum } from "./experiments/momentum.js";
import { nesterov } from "./experiments/nesterov.js";
import { newton } from "./experiments/newton.js";
import { noise } from "./experiments/noise.js";
import { unbiased } from "./experiments/unbiased.js";
import { centralLimitFigure } from "./figures/central_limit.js";
import { classificationFigure } from "./figures/classification.js";
import { deepNormsFigure } from "./figures/deep_norms.js";
import { deepTrainingFigure } from "./figures/deep_training.js";
import { gradientDescentFigure } from "./figures/gradient_descent.js";
import { momentumFigure } from "./figures/momentum.js";
import { nesterovFigure } from "./figures/nesterov.js";
import { newtonFigure } from "./figures/newton.js";
import { noiseFigure } from "./figures/noise.js";
import { unbiasedFigure } from "./figures/unbiased.js";

export const STUDIES = [
  study(gradientDescent, gradientDescentFigure),
  study(momentum, momentumFigure),
  study(nesterov, nesterovFigure),
  study(newton, newtonFigure),
  study(unbiased, unbiasedFigure),
  study(noise, noiseFigure),
  study(deepNorms, deepNormsFigure),
  study(deepTraining, deepTrainingFigure),
  study(centralLimit, centralLimitFigure),
  study(classification, classificationFigure),
];
