package io.pare.train;

import io.pare.data.Dataset;
import io.pare.net.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What is measured for a task besides the loss. Immutable. */
public sealed interface Metrics {
    /** {@return which task} */
    Task task();

    /**
     * {@return the metric by which networks are chosen, as {@link Task#metric} names it; of errors its negative}
     * Higher is better.
     */
    double score();

    /** {@return all of them by their names in reports, in their order} */
    Map<String, Double> values();

    /**
     * Of classes.
     *
     * @param classes number of classes
     * @param labels class of each sample
     * @param predicted class of its largest logit; -1 where no logit is a number
     * @param topFive share of samples whose label is among the five largest logits
     */
    record OfClasses(int classes, int[] labels, int[] predicted, double topFive) implements Metrics {
        /** Networks of no more classes are judged by the first guess alone. */
        private static final int FEW_CLASSES = 10;
        /** A matrix of more classes would be larger than anybody looks at. */
        private static final int MOST_IN_MATRIX = 1000;

        /**
         * One class.
         *
         * @param support samples of it
         * @param recall share of these that are predicted; NaN without any
         * @param precision share of it in what is predicted as it; NaN if nothing is
         * @param f1 harmonic mean of both; 0 if it is never predicted rightly
         */
        public record Row(int support, double recall, double precision, double f1) {}

        @Override
        public Task task() {
            return Task.CLASSIFY;
        }

        @Override
        public double score() {
            return accuracy();
        }

        /** {@return share of samples whose class is predicted} */
        public double accuracy() {
            long right = 0;
            for (int i = 0; i < labels.length; i++) {
                right += labels[i] == predicted[i] ? 1 : 0;
            }
            return (double) right / labels.length;
        }

        /** {@return a row for each class} */
        public List<Row> rows() {
            int[] support = new int[classes];
            int[] named = new int[classes];
            int[] right = new int[classes];
            for (int i = 0; i < labels.length; i++) {
                support[labels[i]]++;
                if (predicted[i] >= 0) {
                    named[predicted[i]]++;
                }
                right[labels[i]] += labels[i] == predicted[i] ? 1 : 0;
            }
            List<Row> rows = new ArrayList<>();
            for (int c = 0; c < classes; c++) {
                rows.add(new Row(support[c], (double) right[c] / support[c], (double) right[c] / named[c],
                        f1(right[c], support[c], named[c])));
            }
            return rows;
        }

        /** {@return mean F1 of the classes that there are samples or predictions of} */
        public double macroF1() {
            return rows().stream().filter(row -> row.support() > 0 || !Double.isNaN(row.precision()))
                    .mapToDouble(Row::f1).average().orElse(Double.NaN);
        }

        /**
         * {@return samples by label, a row each, and predicted class; empty above {@value #MOST_IN_MATRIX} classes}
         */
        public int[][] confusion() {
            if (classes > MOST_IN_MATRIX) {
                return new int[0][];
            }
            int[][] counts = new int[classes][classes];
            for (int i = 0; i < labels.length; i++) {
                if (predicted[i] >= 0) {
                    counts[labels[i]][predicted[i]]++;
                }
            }
            return counts;
        }

        @Override
        public Map<String, Double> values() {
            return ordered("Accuracy", accuracy(), "TopFiveAccuracy", topFive, "MacroF1", macroF1());
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof OfClasses that && classes == that.classes && Arrays.equals(labels, that.labels)
                    && Arrays.equals(predicted, that.predicted) && topFive == that.topFive;
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(labels) * 31 + Arrays.hashCode(predicted);
        }

        @Override
        public String toString() {
            return classes > FEW_CLASSES
                    ? String.format(Locale.ROOT, "%.4f, top-5 %.4f", accuracy(), topFive)
                    : String.format(Locale.ROOT, "%.4f", accuracy());
        }
    }

    /**
     * Of labels each of which applies or not: predicted where their probability is above a half.
     *
     * @param support samples to which a label applies, by label
     * @param named samples for which it is predicted
     * @param right samples for which it is predicted and applies
     * @param exactMatch share of samples all of whose labels are right
     */
    record OfLabels(int[] support, int[] named, int[] right, double exactMatch) implements Metrics {
        @Override
        public Task task() {
            return Task.MULTILABEL;
        }

        @Override
        public double score() {
            return macroF1();
        }

        /** {@return mean F1 of the labels that apply somewhere or are predicted; 1 if there are none} */
        public double macroF1() {
            double sum = 0;
            int counted = 0;
            for (int i = 0; i < support.length; i++) {
                if (support[i] + named[i] > 0) {
                    sum += f1(right[i], support[i], named[i]);
                    counted++;
                }
            }
            return counted == 0 ? 1 : sum / counted;
        }

        /** {@return f1 over all labels of all samples at once} */
        public double microF1() {
            int all = Arrays.stream(support).sum();
            int told = Arrays.stream(named).sum();
            return all + told == 0 ? 1 : f1(Arrays.stream(right).sum(), all, told);
        }

        @Override
        public Map<String, Double> values() {
            return ordered("MacroF1", macroF1(), "MicroF1", microF1(), "ExactMatch", exactMatch);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof OfLabels that && Arrays.equals(support, that.support)
                    && Arrays.equals(named, that.named) && Arrays.equals(right, that.right)
                    && exactMatch == that.exactMatch;
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(right) * 31 + Arrays.hashCode(named);
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%.4f, micro F1 %.4f, exact match %.4f", macroF1(), microF1(),
                    exactMatch);
        }
    }

    /**
     * Of numbers, over all outputs of all samples.
     *
     * @param mae mean absolute error
     * @param rmse root of the mean squared error
     * @param r2 share of the variance that is explained, the mean over outputs; NaN if a target does not vary
     */
    record OfNumbers(double mae, double rmse, double r2) implements Metrics {
        @Override
        public Task task() {
            return Task.REGRESS;
        }

        @Override
        public double score() {
            return task().score(mae);
        }

        @Override
        public Map<String, Double> values() {
            return ordered("MAE", mae, "RMSE", rmse, "R2", r2);
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%.4g, RMSE %.4g, R2 %.4f", mae, rmse, r2);
        }
    }

    /**
     * {@return the score of naming the most frequent class always, all labels, or the mean of each number}
     *
     * @param data whose targets are counted
     */
    static double ofConstant(Dataset data) {
        double sum = 0;
        for (int output = 0; output < data.classes() && data.task() != Task.CLASSIFY; output++) {
            double total = 0;
            for (int i = 0; i < data.size(); i++) {
                total += data.target(i, output);
            }
            if (data.task() == Task.MULTILABEL) {
                sum += 2 * total / (total + data.size());
            } else {
                for (int i = 0; i < data.size(); i++) {
                    sum += Math.abs(data.target(i, output) - total / data.size()) / data.size();
                }
            }
        }
        return switch (data.task()) {
            case CLASSIFY -> data.largestShare();
            case MULTILABEL, REGRESS -> data.task().score(sum / data.classes());
        };
    }

    private static double f1(int right, int support, int named) {
        return support + named == 0 ? 0 : 2.0 * right / (support + named);
    }

    private static Map<String, Double> ordered(String first, double one, String second, double two, String third,
            double three) {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put(first, one);
        values.put(second, two);
        values.put(third, three);
        return values;
    }
}
