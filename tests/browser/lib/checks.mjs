/** One line for each check; the first that fails ends the run. */
export async function check(name, work) {
  const begin = performance.now();
  let remark;
  try {
    remark = await work();
  } catch (error) {
    console.log(`FAIL  ${name}`);
    throw error;
  }
  const took = `${Math.round(performance.now() - begin)} ms`;
  console.log(`ok    ${name} (${remark ? `${remark}, ` : ""}${took})`);
}

/** Fails unless both say the same. */
export function same(what, found, wanted) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: found ${a}, wanted ${b}`);
}
