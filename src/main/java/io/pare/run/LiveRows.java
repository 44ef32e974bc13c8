package io.pare.run;

import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Flow;
import io.pare.net.Liveness;
import io.pare.net.Net;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Of a weight what an engine computes: rows that anything behind them reads, and what is not zero there.
 *
 * @param rows that are read
 * @param kept weights in them that are not zero
 */
record LiveRows(int rows, long kept) {
    /** {@return what each weight of the network has, by its name, where its operator mixes units} */
    static Map<String, LiveRows> of(CompressedWeights weights) {
        Map<String, LiveRows> found = new LinkedHashMap<>();
        alone(weights, found);
        return found;
    }

    /** {@return the tensors with zeros in rows that nothing reads} */
    static CompressedWeights alone(CompressedWeights weights) {
        return alone(weights, new LinkedHashMap<>());
    }

    private static CompressedWeights alone(CompressedWeights weights, Map<String, LiveRows> found) {
        Net net = weights.model();
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>(weights.tensors());
        Liveness.walk(net, (node, needed) -> {
            if (!(net.flow(node) instanceof Flow.Mix)) {
                return null;
            }
            String name = node.weight().name();
            CompressedTensor all = weights.tensor(name);
            float[] values = all.toArray();
            int rows = 0;
            long kept = 0;
            for (int row = 0, each = values.length / needed.length; row < needed.length; row++) {
                rows += needed[row] ? 1 : 0;
                for (int i = row * each; i < (row + 1) * each; i++) {
                    values[i] = needed[row] ? values[i] : 0;
                    kept += values[i] == 0 ? 0 : 1;
                }
            }
            found.put(name, new LiveRows(rows, kept));
            CompressedTensor live = kept == all.nonzeros() ? all : CompressedTensor.of(values, all.shape());
            tensors.put(name, live);
            return live;
        });
        return new CompressedWeights(net, tensors, weights.scale());
    }
}
