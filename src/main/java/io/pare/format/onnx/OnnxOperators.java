package io.pare.format.onnx;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The operators that Pare knows, by their names. */
final class OnnxOperators {
    private static final Map<String, OnnxOperator> TABLE = new HashMap<>();

    static {
        TABLE.putAll(OnnxSources.table());
        TABLE.putAll(OnnxShapes.table());
        TABLE.putAll(OnnxMoves.table());
        TABLE.putAll(OnnxFunctions.table());
        TABLE.putAll(OnnxReductions.table());
        TABLE.putAll(OnnxProducts.table());
        TABLE.putAll(OnnxWindows.table());
        TABLE.putAll(OnnxLayers.table());
        TABLE.putAll(OnnxPositions.table());
        TABLE.putAll(OnnxQuantization.table());
        TABLE.putAll(OnnxTransposes.table());
        TABLE.putAll(OnnxRecurrent.table());
        TABLE.putAll(OnnxResizing.table());
    }

    private OnnxOperators() {}

    static OnnxOperator of(String name) {
        return TABLE.get(name);
    }

    static boolean has(String name) {
        return TABLE.containsKey(name);
    }

    /** All names in order. */
    static Set<String> names() {
        return new TreeSet<>(TABLE.keySet());
    }
}
