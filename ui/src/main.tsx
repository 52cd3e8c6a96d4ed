import "@fontsource-variable/inter/wght.css";
import "@siemens/ix/dist/siemens-ix/siemens-ix-core.css";
import "@siemens/ix/dist/siemens-ix/theme/classic-dark.css";
import "@siemens/ix/dist/siemens-ix/theme/classic-light.css";
import "./styles/tokens.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/places.css";
import "./styles/contracts.css";
import "./styles/cases.css";
import "./styles/plan.css";
import "./styles/stacks.css";
import "./styles/controllers.css";
import "./styles/simulation.css";
import "./styles/life.css";
import "./styles/robots.css";
import "./styles/routine.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
