import type { TrainSession } from "../train/session.js";
export async function writeReport(_session: TrainSession): Promise<void> {}
