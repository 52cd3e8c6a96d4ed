import type { Route } from "../../../api/types";
import { t } from "../../../texts/en";

const WIDTH = 640;
const HEIGHT = 320;
const EDGE = 48;
const DASHES = ["none", "7 4", "2 4", "10 3 2 3"];

/** Where bases and visits lie, to scale (a degree of longitude is shortened by the latitude); each technician has a line of its own kind. */
export function RouteMap({ routes }: { routes: Route[] }) {
  const places = routes.flatMap((route) => [route, ...route.stops]);
  if (!places.length) return null;
  const lats = places.map((place) => place.lat);
  const lons = places.map((place) => place.lon);
  const middle = (Math.min(...lats) + Math.max(...lats)) / 2;
  const narrow = Math.cos((middle * Math.PI) / 180);
  const wide = Math.max((Math.max(...lons) - Math.min(...lons)) * narrow, 0.02);
  const high = Math.max(Math.max(...lats) - Math.min(...lats), 0.02);
  const scale = Math.min((WIDTH - 2 * EDGE) / wide, (HEIGHT - 2 * EDGE) / high);
  const at = (place: { lat: number; lon: number }): [number, number] => [
    WIDTH / 2 + (place.lon - (Math.min(...lons) + Math.max(...lons)) / 2) * narrow * scale,
    HEIGHT / 2 - (place.lat - middle) * scale,
  ];
  const sites = new Map(routes.flatMap((route) => route.stops.map((stop) => [`${stop.lat} ${stop.lon}`, stop] as const)));
  return (
    <div className="route-map">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t.maintenance.routes.map}>
        {routes.map((route, n) => (
          <polyline
            key={route.technician + route.leave}
            className="map-line"
            strokeDasharray={DASHES[n % DASHES.length]}
            points={[route, ...route.stops, route].map((place) => at(place).join(",")).join(" ")}
          />
        ))}
        {routes.map((route) => {
          const [x, y] = at(route);
          return (
            <g key={route.technician + route.leave}>
              <rect className="map-base" x={x - 6} y={y - 6} width={12} height={12} />
              <text className="board-name" x={x > WIDTH - 140 ? x - 10 : x + 10} textAnchor={x > WIDTH - 140 ? "end" : "start"} y={y + 18}>
                {route.name}
              </text>
            </g>
          );
        })}
        {[...sites.values()].map((stop) => {
          const [x, y] = at(stop);
          return (
            <g key={`${stop.lat} ${stop.lon}`}>
              <circle className="map-visit" cx={x} cy={y} r={6} />
              <text className="board-name" x={x > WIDTH - 200 ? x - 10 : x + 10} textAnchor={x > WIDTH - 200 ? "end" : "start"} y={y - 8}>
                {stop.site}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}
