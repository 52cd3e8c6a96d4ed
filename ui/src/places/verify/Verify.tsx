import { type DragEvent, useRef, useState } from "react";
import { FileField } from "../../parts/FileField";
import { ProofOutcome } from "../../proof/ProofOutcome";
import { useProofCheck } from "../../proof/useProofCheck";
import type { PublicKeyRow } from "../../proof/verifyProof";
import { t } from "../../texts/en";
import { formatNumber } from "../../time/figure";
import { readKeys } from "./readKeys";

const v = t.verifyPage;
const AT_MOST = 100_000_000;

interface Chosen {
  name: string;
  size: number;
  content: Uint8Array | null;
  problem: string;
}

/** Anybody drops a proof file here: it is checked in this browser and sent nowhere; nobody has to be signed in. */
export default function Verify() {
  const checking = useProofCheck();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [keys, setKeys] = useState<PublicKeyRow[]>([]);
  const [keysSaid, setKeysSaid] = useState("");
  const [over, setOver] = useState(false);
  const last = useRef(0);

  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    const mine = ++last.current;
    const told = { name: file.name, size: file.size };
    checking.forget();
    if (file.size > AT_MOST) return setChosen({ ...told, content: null, problem: `${v.tooLarge} ${t.case.verifyCommand}` });
    const content = await file.arrayBuffer().then((bytes) => new Uint8Array(bytes), () => null);
    if (mine !== last.current) return;
    setChosen({ ...told, content, problem: content ? "" : v.unread });
    if (content) await checking.run(content, keys);
  };
  const takeKeys = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    const found = file.size > AT_MOST ? null : readKeys(await file.text().catch(() => ""));
    setKeys(found ?? []);
    setKeysSaid(found ? v.keysRead(found.length) : v.keysWrong);
    if (chosen?.content) await checking.run(chosen.content, found ?? []);
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  return (
    <main id="main" className="verify-page" onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
      <header>
        <a href="/app/">{v.home}</a>
        <h1>{v.title}</h1>
        <p className="lead">{v.lead}</p>
      </header>
      <div className={over ? "drop-zone over" : "drop-zone"} onDragEnter={() => setOver(true)} onDragLeave={() => setOver(false)}>
        <p>
          <strong>{v.drop}</strong> {v.or}
        </p>
        <FileField title={v.choose} accept=".proof,.json,application/json" onFile={(file) => void take(file)} />
      </div>
      {chosen ? <p className="code verify-name">{v.file(chosen.name, formatNumber(chosen.size / 1000, 1))}</p> : null}
      {chosen?.problem ? (
        <p className="field-problem" role="alert">
          {chosen.problem}
        </p>
      ) : null}
      <ProofOutcome checking={checking} />
      <FileField title={v.keys} hint={v.keysHint} accept=".json,application/json" onFile={(file) => void takeKeys(file)} />
      <p role="status">{keysSaid}</p>
    </main>
  );
}
