/** A map that draws nothing. */
export function createMap(_element, _options) {
  return {
    setPoint(_lat, _lon) {},
    setPlaces(_cells) {},
    setComparables(_comparables) {},
    focus(_lat, _lon, _km) {},
  };
}
