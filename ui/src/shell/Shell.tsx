import { IxApplication, IxApplicationHeader, IxContent, IxMenu, IxMenuItem } from "@siemens/ix-react";
import {
  iconBoxClosed,
  iconCalendar,
  iconLogicDiagram,
  iconUpload,
  iconCogwheel,
  iconHome,
  iconMachineA,
  iconHealth,
  iconDocument,
  iconCheckboxes,
  iconCoins,
  iconMaintenanceWarning,
  iconQualityReport,
} from "@siemens/ix-icons/icons";
import { type MouseEvent, type ReactNode, Suspense, useEffect, useRef } from "react";
import { useOpenCases } from "../data/cases";
import { ProvenanceDrawer } from "../figures/ProvenanceDrawer";
import { useLiveStatus } from "../live/live";
import { Skeleton } from "../parts/Feedback";
import { go, href, isPlainClick, useRoute } from "../route/router";
import { mayAdminister, mayReadCases, mayReadContracts, mayReadControllers, useAccount, useSession } from "../session/session";
import { t } from "../texts/en";
import { type Appearance, setAppearance, useAppearance } from "./appearance";
import { AsOfControl, PastBanner } from "./AsOf";
import { ConnectionBanner } from "./ConnectionBanner";
import { Popover } from "./Popover";
import { Tray } from "./Tray";

interface Place {
  path: string;
  label: string;
  icon: string;
  /** How many things wait there. */
  waiting?: number;
}

/** Navigation, top bar and banners around every page. */
export function Shell({ children }: { children: ReactNode }) {
  const account = useAccount();
  const { check } = useSession();
  const { parts } = useRoute();
  const live = useLiveStatus();
  const main = useRef<HTMLDivElement>(null);
  const here = parts[0] ?? "";
  const withCases = mayReadCases(account);
  const openCases = useOpenCases(withCases);
  const places: Place[] = [
    { path: "", label: t.nav.home, icon: iconHome },
    { path: "machines", label: t.nav.machines, icon: iconMachineA },
    ...(withCases ? [{ path: "cases", label: t.nav.cases, icon: iconMaintenanceWarning, waiting: openCases.data?.length }] : []),
    { path: "plan", label: t.nav.plan, icon: iconCalendar },
    ...(mayReadContracts(account)
      ? [
          { path: "contracts", label: t.nav.contracts, icon: iconDocument },
          { path: "decisions", label: t.nav.decisions, icon: iconCheckboxes },
          { path: "invoices", label: t.nav.invoices, icon: iconCoins },
        ]
      : []),
    ...(mayReadControllers(account)
      ? [
          { path: "controllers", label: t.nav.controllers, icon: iconLogicDiagram },
          { path: "releases", label: t.nav.releases, icon: iconUpload },
        ]
      : []),
    { path: "quality", label: t.nav.quality, icon: iconQualityReport },
    { path: "quarantine", label: t.nav.quarantine, icon: iconBoxClosed },
    { path: "health", label: t.nav.health, icon: iconHealth },
    ...(mayAdminister(account) ? [{ path: "administration", label: t.nav.administration, icon: iconCogwheel }] : []),
  ];
  useEffect(() => {
    if (live === "refused") check();
  }, [live, check]);
  const page = parts.slice(0, 2).join("/");
  useEffect(() => {
    main.current?.scrollTo?.({ top: 0 });
  }, [page]);
  return (
    <>
      <a className="skip" href="#main">
        {t.skip}
      </a>
      <IxApplication>
        <IxApplicationHeader name={t.product}>
          <div className="top-bar">
            <AsOfControl />
            <AccountMenu />
          </div>
        </IxApplicationHeader>
        <IxMenu aria-label={t.nav.label}>
          {places.map((place) => (
            <IxMenuItem
              key={place.path}
              icon={place.icon}
              label={place.label}
              notifications={place.waiting || undefined}
              active={here === place.path}
              href={href(place.path)}
              onClick={(event: MouseEvent) => {
                if (!isPlainClick(event)) return;
                event.preventDefault();
                go(href(place.path));
              }}
            />
          ))}
        </IxMenu>
        <IxContent>
          <div id="main" ref={main} tabIndex={-1}>
            <ConnectionBanner />
            <PastBanner />
            <Suspense fallback={<Skeleton lines={8} />}>{children}</Suspense>
          </div>
        </IxContent>
      </IxApplication>
      <Tray />
      <ProvenanceDrawer />
    </>
  );
}

function AccountMenu() {
  const account = useAccount();
  const { signOut } = useSession();
  const appearance = useAppearance();
  const choices: Appearance[] = ["light", "dark", "hmi"];
  const initials = (account.name.split(",")[0] ?? "")
    .split(/\s+/)
    .map((word) => word[0] ?? "")
    .join("")
    .slice(0, 2)
    .toUpperCase();
  return (
    <Popover className="account" label={`${t.account.menu}: ${account.name}`} button={
        <span className="avatar" aria-hidden="true">
          {initials}
        </span>
      }>
      {(close) => (
        <div className="stack">
          <p>
            <strong>{account.name}</strong>
            <br />
            <span className="weak">{[account.party, account.roles.map((r) => r.replace(/_/g, " ")).join(", ")].filter(Boolean).join(" · ")}</span>
          </p>
          <fieldset className="choices">
            <legend>{t.appearance.title}</legend>
            {choices.map((choice) => (
              <label key={choice}>
                <input type="radio" name="appearance" checked={appearance === choice} onChange={() => setAppearance(choice)} />
                {t.appearance[choice]}
              </label>
            ))}
          </fieldset>
          <button
            type="button"
            className="plain"
            onClick={() => {
              close();
              void signOut();
            }}
          >
            {t.account.signOut}
          </button>
        </div>
      )}
    </Popover>
  );
}
