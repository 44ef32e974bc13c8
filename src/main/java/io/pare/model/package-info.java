/**
 * Networks as declarations: layers, shapes and parameters, without memory and without code that computes.
 */
package io.pare.model;
