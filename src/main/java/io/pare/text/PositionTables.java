package io.pare.text;

import io.pare.net.CompressedTensor;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The tables that an encoder adds to its words: rows of positions, and the row of the first text's type, which an import has
 * written out for each position.
 */
public final class PositionTables {
    private PositionTables() {}

    /**
     * Adds tables that are added one after another into the last of them, and makes the others zero.
     *
     * @param net an encoder
     * @param tensors all of it, changed in place
     * @return names of the tables that are left
     */
    public static List<String> fold(Net net, Map<String, CompressedTensor> tensors) {
        List<String> left = new ArrayList<>();
        List<List<Integer>> readers = net.readers();
        for (Node node : net.layers()) {
            Node table = table(net, node);
            if (table == null) {
                continue;
            }
            List<Integer> next = readers.get(node.place());
            Node behind = next.size() == 1 ? net.node(next.getFirst()) : null;
            Node later = behind == null ? null : table(net, behind);
            if (later != null && later.output().equals(table.output())) {
                float[] sum = tensors.get(name(later)).toArray();
                float[] added = tensors.get(name(table)).toArray();
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += added[i];
                }
                long[] shape = tensors.get(name(later)).shape();
                tensors.put(name(later), CompressedTensor.takingOver(sum, shape));
                tensors.put(name(table), CompressedTensor.of(new float[added.length], shape));
            } else {
                left.add(name(table));
            }
        }
        return left;
    }

    private static String name(Node constant) {
        return constant.parameters().getFirst().name();
    }

    /** The table, alone in being read here, that a sum adds; {@code null} if it is none. */
    private static Node table(Net net, Node sum) {
        boolean adds = sum.op() instanceof Op.Add || sum.op() instanceof TensorOp.Zip(Pairwise function)
                && function == Pairwise.ADD;
        return !adds ? null
                : sum.inputs().stream().map(net::node)
                        .filter(each -> each.op() instanceof TensorOp.Constant && each.output().rank() == 2
                                && each.output().equals(sum.output()))
                        .findFirst().orElse(null);
    }
}
