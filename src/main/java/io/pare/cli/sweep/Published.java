package io.pare.cli.sweep;

import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A published result, as its paper prints it.
 *
 * @param model of Pare that has the same layers
 * @param method whose it is, with the paper's year, venue or number on arXiv
 * @param accuracy on test data
 * @param nonzeros weights that are left
 * @param ratio weights to those
 * @param weightData bits of values alone
 * @param withIndex positions too
 */
public record Published(String model, String method, String accuracy, String nonzeros, String ratio, String weightData,
        String withIndex) {
    private static final Pattern SIZE = Pattern.compile("([0-9.]+) (bytes|KB)");
    private static final List<Published> ON_MNIST = List.of(
            new Published("lenet5", "Han et al. 2015", "0.992", "36,000", "12.5", "", ""),
            new Published("lenet5", "Deep Compression 2016", "0.9926", "35,800", "12", "24.2 KB", "52.1 KB"),
            new Published("lenet5", "ADMM, Zhang et al. 2018", "0.992", "6,050", "71.2", "", ""),
            new Published("lenet5", "ADMM, progressive (1810.07378)", "0.990", "2,580", "167", "", ""),
            new Published("lenet5", "ADMM, joint (1811.01907)", "0.990", "2,570", "167", "890 bytes", "2.73 KB"),
            new Published("lenet5", "progressive (1903.09769)", "almost no loss", "", "246", "", ""),
            new Published("lenet5", "ADMM-NN-S (1907.02124)", "almost no loss", "", "348", "", ""),
            new Published("lenet5", "reweighted (2004.05531)", "not in the abstract", "683", "630", "", ""),
            new Published("lenet5", "ANNC (CVPR 2020)", "no loss", "", "", "812 bytes", ""),
            new Published("lenet5", "MIRACLE (ICLR 2019)", "0.9904", "", "", "", "1.52 KB"));

    /** Published results of a network on a data set, by their names in reports. */
    public static List<Published> of(String model, String dataset) {
        return dataset.equals("MNIST") ? ON_MNIST.stream().filter(row -> row.model.equals(model)).toList() : List.of();
    }

    /** The accuracy, where the paper gives a number. */
    OptionalDouble score() {
        return accuracy.matches("0[.][0-9]+") ? OptionalDouble.of(Double.parseDouble(accuracy))
                : OptionalDouble.empty();
    }

    /** Bytes with positions, of kilobytes of 1,000. */
    OptionalDouble fileBytes() {
        Matcher size = SIZE.matcher(withIndex);
        return size.matches()
                ? OptionalDouble.of(Double.parseDouble(size.group(1)) * (size.group(2).equals("KB") ? 1000 : 1))
                : OptionalDouble.empty();
    }

    /** As a row of a table. */
    public List<String> cells() {
        return List.of(method, accuracy, nonzeros, ratio, weightData, withIndex);
    }
}
