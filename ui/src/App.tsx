import { lazy, Suspense } from "react";
import { Empty, Problem, Skeleton } from "./parts/Feedback";
import { SignIn } from "./places/signin/SignIn";
import { Link, useRoute } from "./route/router";
import { SessionProvider, useSession } from "./session/session";
import { PlantZone } from "./session/PlantZone";
import { Shell } from "./shell/Shell";
import { t } from "./texts/en";

const Administration = lazy(() => import("./places/administration/Administration"));
const Health = lazy(() => import("./places/health/Health"));
const Home = lazy(() => import("./places/home/Home"));
const Quarantine = lazy(() => import("./places/quarantine/Quarantine"));
const Cases = lazy(() => import("./places/cases/Cases"));
const CasePage = lazy(() => import("./places/cases/CasePage"));
const Controllers = lazy(() => import("./places/controllers/Controllers"));
const ControllerPage = lazy(() => import("./places/controllers/ControllerPage"));
const Contracts = lazy(() => import("./places/contracts/Contracts"));
const ContractPage = lazy(() => import("./places/contracts/ContractPage"));
const Inbox = lazy(() => import("./places/contracts/Inbox"));
const OfferPage = lazy(() => import("./places/offer/OfferPage"));
const Invoices = lazy(() => import("./places/invoices/Invoices"));
const Releases = lazy(() => import("./places/releases/Releases"));
const Plan = lazy(() => import("./places/plan/Plan"));
const Fleet = lazy(() => import("./places/machines/Fleet"));
const Verify = lazy(() => import("./places/verify/Verify"));
const Quality = lazy(() => import("./places/quality/Quality"));
const TwinPage = lazy(() => import("./places/twin/TwinPage"));

export function App() {
  const { parts } = useRoute();
  // For people without an account, and for a moment when the node does not answer.
  if (parts[0] === "verify") {
    return (
      <Suspense fallback={<Skeleton lines={4} />}>
        <Verify />
      </Suspense>
    );
  }
  return (
    <SessionProvider>
      <Gate />
    </SessionProvider>
  );
}

function Gate() {
  const { account, problem, check } = useSession();
  if (account === undefined) return <main className="gate">{problem ? <Problem error={problem} retry={check} /> : <Skeleton />}</main>;
  if (account === null) return <SignIn />;
  return (
    <PlantZone>
      <Shell>
        <Suspense fallback={<Skeleton lines={8} />}>
          <PlaceOf />
        </Suspense>
      </Shell>
    </PlantZone>
  );
}

function PlaceOf() {
  const { parts } = useRoute();
  const [place = "", id] = parts;
  if (place === "machines" && id) return <TwinPage key={id} id={id} />;
  if (place === "machines") return <Fleet />;
  if (place === "") return <Home />;
  if (place === "cases" && id) return <CasePage key={id} id={id} />;
  if (place === "cases") return <Cases />;
  if (place === "controllers" && id) return <ControllerPage key={id} reference={id} />;
  if (place === "controllers") return <Controllers />;
  if (place === "offer") return <OfferPage />;
  if (place === "contracts" && id) return <ContractPage key={id} id={id} />;
  if (place === "contracts") return <Contracts />;
  if (place === "decisions") return <Inbox />;
  if (place === "invoices") return <Invoices />;
  if (place === "plan") return <Plan />;
  if (place === "releases") return <Releases />;
  if (place === "quality") return <Quality />;
  if (place === "quarantine") return <Quarantine />;
  if (place === "health") return <Health />;
  if (place === "administration") return <Administration />;
  return (
    <Empty title={t.noSuchPage}>
      <Link place="">{t.nav.home}</Link>
    </Empty>
  );
}
