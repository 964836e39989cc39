/** Makes the page: typed clients from the contracts, one script from the sources. Nothing made is kept. */
import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { build as bundle } from "esbuild";

const folder = join(import.meta.dirname, "..");
const tools = join(folder, "../../target/tools/bin");

/** Builds the page into `into` and returns the folder to serve. */
export async function build(into) {
  const gen = join(into, "gen");
  await generate(gen, into);
  await bundle({
    entryPoints: [join(folder, "page/main.ts")],
    outfile: join(into, "main.js"),
    bundle: true,
    format: "esm",
    target: "es2022",
    sourcemap: "inline",
    alias: { gen },
    // The generated files lie outside this folder, and import the same packages.
    nodePaths: [join(folder, "node_modules")],
    logLevel: "error",
  });
  for (const name of ["index.html", "style.css"]) await copyFile(join(folder, "page", name), join(into, name));
  return into;
}

async function generate(gen, cache) {
  // The plugin is a Node program of its own: it gets the Node that runs this, not whatever else there is.
  const path = [dirname(process.execPath), tools, process.env.PATH].join(delimiter);
  try {
    await promisify(execFile)("buf", ["generate", "--output", gen], {
      cwd: folder,
      env: { ...process.env, PATH: path, BUF_CACHE_DIR: cache },
    });
  } catch (error) {
    if (error.code === "ENOENT") throw new Error("buf is missing: run tests/setup", { cause: error });
    throw error;
  }
}
