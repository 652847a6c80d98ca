/**
 * Owns the promise R12: the tests have teeth. Faults are planted in a copy of the sources, and each
 * must turn a named test red.
 */
import { join } from "node:path";
import { type Bite, bite, copyProject } from "../teeth/bite.ts";
import { RULE_FAULTS } from "../teeth/rule-faults.ts";
import { SERVICE_FAULTS } from "../teeth/service-faults.ts";
import type { Run } from "./run.ts";

export async function teeth(run: Run): Promise<void> {
  const { tally, scratch, root, size } = run;
  const all = [...RULE_FAULTS, ...SERVICE_FAULTS];
  const faults = size === "large" ? all : all.filter(({ small }) => small);
  const dir = join(scratch.dir, "teeth");
  copyProject(root, dir);
  run.say(`${faults.length} faults, after a run of their tests without any`);
  let planted = 0;
  let caughtCount = 0;
  const tell = ({ fault, caught, why }: Bite) => {
    planted += 1;
    tally.fault("fault planted in the code");
    if (caught === undefined) {
      const what = `no test noticed: ${fault.name}`;
      const history = [`planted in ${fault.file}`, `expected in ${fault.caughtBy}: ${why}`];
      tally.fail({ promise: "teeth", breach: "other", what, history });
      run.say(`NOT caught: ${fault.name} (${why})`);
      return;
    }
    caughtCount += 1;
    run.say(`caught: ${fault.name}\n${" ".repeat(19)}by ${fault.caughtBy}: ${caught} (${why})`);
  };
  await bite(dir, faults, { tell, isLate: () => run.isLate() });
  tally.figures.set("planted faults caught", `${caughtCount} of ${planted}`);
  if (planted === 0) tally.notShown.push("teeth: there was no time to plant a fault");
  else if (planted < faults.length) run.say(`the time is up: ${faults.length - planted} are left`);
}
