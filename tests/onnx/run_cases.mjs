// Runs cases, as ONNX's own conformance tests are laid out, by ONNX Runtime:  node run_cases.mjs RUNTIME_FOLDER CASES...
//
// RUNTIME_FOLDER is where `npm install onnxruntime-node` was run. CASES are folders of folders, each with `model.onnx` and
// `test_data_set_N` of `input_I.pb` and `output_I.pb`. A file `run.json` may say more: by `{"times": 10, "feed": {"w.new":
// "w"}}`, outputs are fed to inputs, and those of the last run are compared; by `{"tolerance": 3e-6}`, each element may
// be off by that much of itself, and not by 1e-5 of the largest. The last line is `N passed, N failed`.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [runtimeFolder, ...caseFolders] = process.argv.slice(2);
const ort = createRequire(path.resolve(runtimeFolder) + "/")("onnxruntime-node");

// Of the largest element, or of 1 where all are smaller.
const TOLERANCE = 1e-5;
const SMALLEST = 1.2e-38; // of the float32 numbers with all their digits

const TYPES = {
  1: ["float32", Float32Array],
  2: ["uint8", Uint8Array],
  6: ["int32", Int32Array],
  7: ["int64", BigInt64Array],
  9: ["bool", Uint8Array],
  11: ["float64", Float64Array],
};

// The fields of a message: [number, wire type, value], the value a BigInt or bytes.
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) {
      yield [tag >> 3, 0, varint()];
    } else if ((tag & 7) === 2) {
      const length = Number(varint());
      yield [tag >> 3, 2, bytes.subarray(at, at + length)];
      at += length;
    } else {
      throw new Error(`wire type ${tag & 7} in a tensor`);
    }
  }
}

function readTensor(file) {
  const tensor = { dims: [], name: "", raw: new Uint8Array() };
  for (const [number, , value] of fields(fs.readFileSync(file))) {
    if (number === 1) tensor.dims.push(Number(value));
    if (number === 2) tensor.type = TYPES[Number(value)];
    if (number === 8) tensor.name = new TextDecoder().decode(value);
    if (number === 9) tensor.raw = value;
  }
  const aligned = new Uint8Array(tensor.raw); // a copy, which begins where elements may
  tensor.data = new tensor.type[1](aligned.buffer, 0, aligned.length / tensor.type[1].BYTES_PER_ELEMENT);
  return tensor;
}

function readTensors(folder, kind) {
  const tensors = [];
  for (let i = 0; fs.existsSync(`${folder}/${kind}_${i}.pb`); ++i) tensors.push(readTensor(`${folder}/${kind}_${i}.pb`));
  return tensors;
}

// What is wrong with a result, or nothing.
function difference(actual, expected, relative) {
  if (actual.type !== expected.type[0]) return `is ${actual.type} instead of ${expected.type[0]}`;
  if (actual.dims.join() !== expected.dims.join()) return `has shape (${actual.dims}) instead of (${expected.dims})`;
  const wanted = Array.from(expected.data, Number);
  const given = Array.from(actual.data, Number);
  const scale = wanted.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1);
  for (let i = 0; i < wanted.length; ++i) {
    const same = Object.is(given[i], wanted[i]) || given[i] === wanted[i];
    const allowed = relative ? Math.max(relative * Math.abs(wanted[i]), SMALLEST) : TOLERANCE * scale;
    if (!same && !(Math.abs(given[i] - wanted[i]) <= allowed && Number.isFinite(allowed))) {
      return `is ${given[i]} instead of ${wanted[i]} at position ${i} of ${wanted.length}`;
    }
  }
}

async function runCase(folder) {
  const session = await ort.InferenceSession.create(`${folder}/model.onnx`, { logSeverityLevel: 3, intraOpNumThreads: 2 });
  const how = fs.existsSync(`${folder}/run.json`) ? JSON.parse(fs.readFileSync(`${folder}/run.json`)) : {};
  const { times = 1, feed = {}, tolerance } = how;
  let sets = 0;
  for (; fs.existsSync(`${folder}/test_data_set_${sets}`); ++sets) {
    const data = `${folder}/test_data_set_${sets}`;
    const feeds = {};
    for (const input of readTensors(data, "input")) feeds[input.name] = new ort.Tensor(input.type[0], input.data, input.dims);
    let results;
    for (let i = 0; i < times; ++i) {
      results = await session.run(feeds);
      for (const [output, input] of Object.entries(feed)) feeds[input] = results[output];
    }
    for (const expected of readTensors(data, "output")) {
      const wrong = difference(results[expected.name], expected, tolerance);
      if (wrong) throw new Error(`${path.basename(data)}: ${expected.name} ${wrong}`);
    }
  }
  if (sets === 0) throw new Error("there is no test_data_set_0");
}

let passed = 0;
let failed = 0;
for (const folder of caseFolders) {
  for (const name of fs.readdirSync(folder).sort()) {
    try {
      await runCase(path.join(folder, name));
      ++passed;
    } catch (error) {
      ++failed;
      console.log(`${name}: ${error.message}`);
    }
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
